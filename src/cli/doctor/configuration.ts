import { literal } from '../printable.js';
import { recognisedProvider } from './recognised-provider.js';

export interface ConfigurationFacts {
  /** As tokens name it. */
  readonly issuer: string;
  readonly audience: readonly string[] | undefined;
  /** Only where keys do not come by the metadata of the issuer's own name. */
  readonly keys: { readonly from: 'discovery' | 'jwks'; readonly uri: string } | undefined;
  /** Only where it is not the default. */
  readonly clockToleranceSeconds: number | undefined;
  readonly allowHttp: boolean;
}

const PLACEHOLDER = literal('<what tokens for this API name in aud>');

/** What to paste into the application's root module. */
export function configurationOf(facts: ConfigurationFacts): string {
  const audience = audienceOf(facts.audience);
  const extras = extrasOf(facts);
  const call = recognisedProvider(facts.issuer, audience);
  const lines = ["import { AuthModule } from 'nestjs-resource-server';"];
  if (call === undefined || facts.keys !== undefined) {
    const claim = call?.audienceClaim;
    const all = {
      issuer: literal(facts.issuer),
      audience,
      ...(claim !== undefined && { audienceClaim: literal(claim) }),
      ...extras,
    };
    lines.push('', `AuthModule.forRoot(${objectOf(all)})`);
  } else {
    const preset = `${call.preset}(${objectOf(call.parameters)})`;
    lines.push(`import { ${call.preset} } from 'nestjs-resource-server/presets';`, '');
    lines.push(
      Object.keys(extras).length === 0
        ? `AuthModule.forRoot(${preset})`
        : `AuthModule.forRoot({ ...${preset}, ${membersOf(extras).join(', ')} })`,
    );
  }
  return lines.join('\n');
}

function audienceOf(audience: readonly string[] | undefined): string {
  const [first, ...others] = audience ?? [];
  if (first === undefined) return PLACEHOLDER;
  return others.length === 0 ? literal(first) : `[${[first, ...others].map(literal).join(', ')}]`;
}

function extrasOf({ keys, clockToleranceSeconds, allowHttp }: ConfigurationFacts): Record<string, string> {
  return {
    ...(keys !== undefined && { keys: `{ from: '${keys.from}', uri: ${literal(keys.uri)} }` }),
    ...(clockToleranceSeconds !== undefined && { clockToleranceSeconds: String(clockToleranceSeconds) }),
    ...(allowHttp && { insecureAllowHttp: 'true' }),
  };
}

function membersOf(members: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(members).map(([name, value]) => `${name}: ${value}`);
}

function objectOf(members: Readonly<Record<string, string>>): string {
  const line = `{ ${membersOf(members).join(', ')} }`;
  return line.length <= 80 ? line : `{\n  ${membersOf(members).join(',\n  ')},\n}`;
}
