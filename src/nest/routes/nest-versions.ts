const VERSIONS = {
  '@nestjs/core': () => import('@nestjs/core/package.json', { with: { type: 'json' } }),
  '@nestjs/graphql': () => import('@nestjs/graphql/package.json', { with: { type: 'json' } }),
};

/** The first number of the version that is installed; 0 where it cannot be found out: a warning too many is better than one too few. */
export async function majorOf(name: keyof typeof VERSIONS): Promise<number> {
  try {
    const { default: manifest } = (await VERSIONS[name]()) as { default: { version: string } };
    return Number.parseInt(manifest.version, 10);
  } catch {
    return 0;
  }
}
