import { recipe } from '../../../recipe.mjs';
import { startNest } from '../nest-app.mjs';

export function start({ platform, ...settings }) {
  return startNest(platform, recipe(settings));
}
