import { testHistories } from './histories.js';

testHistories(0);
