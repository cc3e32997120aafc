import { commandText } from './command-text.js';

const spec = { argv: ['sort', '-k', 'two words'], stdinPath: '', stdoutPath: '', stderrPath: '' };

it('quotes what a shell would take apart, and names the streams that are files', () => {
  expect(commandText(spec)).toBe("$ sort -k 'two words'");
  expect(commandText({ ...spec, stdinPath: '/in/0/a b', stdoutPath: 'out', stderrPath: 'err' })).toBe(
    "$ sort -k 'two words' < '/in/0/a b' > out 2> err",
  );
});

it('ends where nobody reads on', () => {
  const text = commandText({ ...spec, argv: ['cat', ...Array.from({ length: 5_000 }, () => 'file')] });
  expect(text).toHaveLength(4_000 + '… (25005 characters)'.length);
  expect(text).toMatch(/… \(25005 characters\)$/);
});
