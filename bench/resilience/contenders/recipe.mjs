import { recipe } from '../../recipe.mjs';
import { startNest } from '../nest-app.mjs';

export function start({ lifeMs, staleMs, ...settings }) {
  const more = {
    ...(lifeMs && { cacheMaxAge: lifeMs }),
    // Tutorials do not set this option.
    ...(staleMs && { cacheMaxAgeFallback: staleMs - lifeMs }),
  };
  return startNest(recipe({ ...settings, more }));
}
