/** The templates as the scheduler gets them: complete, valid, and independent of this folder. */
import { bundleFetcher, loadDocument } from '@weft/cwl';
import { TEMPLATES } from '../session/session.types.js';
import { COMMANDS_OF, findTemplates, TemplateCatalog } from './template.catalog.js';

const catalog = new TemplateCatalog(findTemplates(import.meta.url));

describe('TemplateCatalog', () => {
  it.each(TEMPLATES)('%s loads from its bundle alone, without a diagnostic', async (name) => {
    const bundle = await catalog.bundle(name);
    const result = await loadDocument(bundle.rootUri, bundleFetcher(bundle.files));
    expect(result.diagnostics).toEqual([]);
    expect(Object.values(result.plan?.processes ?? {}).map((process) => process.class)).toContain('CommandLineTool');
  });

  it('carries the Python of the tools inside the documents', async () => {
    const { files } = await catalog.bundle('training');
    const names = Object.keys(files).map((uri) => uri.split('/').at(-1));
    expect(names).toEqual(expect.arrayContaining(['al_common.py', 'prepare.py', 'train.py', 'report_training.py']));
  });

  it('describes every template with its commands', async () => {
    const listed = await catalog.list();
    expect(listed.map((one) => one.name)).toEqual([...TEMPLATES]);
    for (const one of listed) {
      expect(one.commands).toEqual(COMMANDS_OF[one.name]);
      expect(one.title.length).toBeGreaterThan(3);
      expect(one.description.length).toBeGreaterThan(10);
    }
  });

  it('names the file that is missing', async () => {
    await expect(new TemplateCatalog('/nonexistent').bundle('training')).rejects.toThrow(/training\.cwl/);
  });
});
