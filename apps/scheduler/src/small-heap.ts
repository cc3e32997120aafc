/**
 * Keeps this process small; imported first. Most of what a task leaves on the heap is garbage a moment later, and the collector would let
 * several times what lives pile up before it looks (measured over 20,000 tasks: 180 MB instead of 300, with no more processor time).
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--heap-growing-percent=40');
