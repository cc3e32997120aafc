/** Imported before the rest of the program, whose loading may fail, too. */
import { onFault } from '@weft/platform';

onFault('step-runner');
