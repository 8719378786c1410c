export { isCommonAudience } from './providers.js';
