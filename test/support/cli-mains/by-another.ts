import { setTimeout } from 'node:timers/promises';
import { startAndListen } from '../cli-applications.js';

void setTimeout(50).then(startAndListen);
