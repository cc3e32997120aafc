import { run } from '@weft/contracts';
import { describeFailure } from './execute.js';

it.each<[Partial<run.Failure>, string]>([
  [{ message: 'no', step: '' }, 'no'],
  [{ message: 'no', step: 'align' }, "step 'align': no"],
  [{ message: 'no', step: 'align', index: '3,1' }, "step 'align[3,1]': no"],
  [{ message: "step 'align': no", step: 'align', index: '3' }, "step 'align[3]': no"],
  [{ message: "step 'align[3]': no", step: 'align' }, "step 'align[3]': no"],
  [{ message: "step 'align[3]': no", step: 'align', index: '3' }, "step 'align[3]': no"],
])('%j is told as: %s', (failure, text) => expect(describeFailure(run.Failure.fromPartial(failure))).toBe(text));
