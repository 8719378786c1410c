import type { AccessTokenClaims, JoseHeader } from '../model/access-token.js';
import { withoutTrailingSlashes } from '../model/address.js';
import { AuthError } from '../model/errors.js';
import { OptionReader } from '../options/option-reader.js';
import { type CheckOptions, type IssuerOptions, PROVIDER_CHECK, type ProviderChecked } from '../options/options.js';

/** The pattern of valid values, or a function that returns what to write instead of an invalid value. */
type ValueRule = RegExp | ((value: string) => string | undefined);

/** The options of a preset that takes exactly one of these, read with {@link PresetReader.hasInsteadOf}. */
export type ExactlyOne<Options> = {
  [Name in keyof Options]: Pick<Options, Name> & Partial<Record<Exclude<keyof Options, Name>, never>>;
}[keyof Options];

export interface ValidateOption {
  /** Your own check, called after those of the preset. As `validate` of `AuthModule`, it accepts only by returning `true`. */
  readonly validate?: CheckOptions['validate'];
}

const ANY = /./;
const HOST = /^(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{1,63}$/i;

/**
 * Reads the options of a preset. An option that is present but undefined is a problem: most options restrict which tokens are
 * accepted, and an unset variable must not remove that restriction silently. An option that the preset never reads is unknown.
 *
 * In messages, each `meaning` follows the words "Set it to".
 */
export class PresetReader extends OptionReader {
  constructor(
    private readonly preset: string,
    options: unknown,
  ) {
    super(options, `${preset}()`);
  }

  /** Returns whether the option is present, even if it is undefined. */
  override has(name: string): boolean {
    return super.has(name) || name in this.record;
  }

  /** Returns whether the first of two options is present that exclude each other. */
  hasInsteadOf(name: string, other: string): boolean {
    if (this.has(other) && this.has(name)) this.problem(other, `is set beside \`${name}\`. Remove one of them.`);
    return this.has(name);
  }

  /** Returns '' after a problem. */
  text(name: string, meaning: string, rule: ValueRule = ANY): string {
    const value = this.requiredString(name, meaning);
    return value !== '' && this.isValid(name, value, meaning, rule) ? value : '';
  }

  optionalText(name: string, meaning: string, rule?: ValueRule): string | undefined {
    return this.has(name) ? this.text(name, meaning, rule) : undefined;
  }

  texts(name: string, meaning: string, rule: ValueRule = ANY): readonly string[] {
    const pathTo = (index: number) => (Array.isArray(this.record[name]) ? `${name}[${String(index)}]` : name);
    return this.oneOrMore(name, meaning).filter((text, index) => this.isValid(pathTo(index), text, meaning, rule));
  }

  optionalTexts(name: string, meaning: string, rule?: ValueRule): readonly string[] | undefined {
    return this.has(name) ? this.texts(name, meaning, rule) : undefined;
  }

  /** Reads a host name and returns it in lower case, as issuers write it. */
  host(name: string, example: string): string {
    const meaning = `the host of the issuer without scheme and slash, for example '${example}'`;
    return this.text(name, meaning, HOST).toLowerCase();
  }

  /**
   * Reads an http or https URL and returns it without its trailing slash.
   * @param appended the end of the path that the preset appends itself.
   */
  url(name: string, example: string, appended?: RegExp): string {
    const meaning = `a URL (https://…) without credentials, query and fragment, for example '${example}'`;
    const value = this.text(name, meaning, (text) => {
      const url = normalizeUrl(text);
      if (url === undefined) return `Set it to ${meaning}.`;
      const [repeated] = appended?.exec(url) ?? [];
      return repeated && `Remove ${repeated}, which the preset appends.`;
    });
    return normalizeUrl(value) ?? '';
  }

  validate(): CheckOptions['validate'] {
    return this.callback('validate') as CheckOptions['validate'];
  }

  finishWith<Result extends IssuerOptions | { readonly issuers: unknown }>(configuration: Result): Result {
    this.allowOnly();
    this.finish(`The options of ${this.preset}() are invalid`);
    return configuration;
  }

  private isValid(path: string, value: string, meaning: string, rule: ValueRule): boolean {
    const fix = typeof rule === 'function' ? rule(value) : rule.test(value) ? undefined : `Set it to ${meaning}.`;
    if (fix !== undefined) this.invalid(path, fix, value);
    return fix === undefined;
  }
}

function normalizeUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, origin, pathname, search, hash, username, password } = new URL(text);
  if (!['https:', 'http:'].includes(protocol) || `${search}${hash}${username}${password}` !== '') return undefined;
  return `${origin}${withoutTrailingSlashes(pathname)}`;
}

/** @param requiredClaims checked twice, because an application can replace the option `requiredClaims` of the preset */
export function providerCheck(
  requiredClaims: readonly string[],
  validate: CheckOptions['validate'],
  check: (claims: AccessTokenClaims, header?: JoseHeader) => void = () => undefined,
): ProviderChecked & Pick<CheckOptions, 'requiredClaims' | 'validate'> {
  return {
    requiredClaims,
    [PROVIDER_CHECK]: ({ claims, header }) => {
      for (const claim of requiredClaims)
        if (!Object.hasOwn(claims, claim) || claims[claim] === null) throw new AuthError('CLAIM_MISSING', { claim });
      check(claims, header);
    },
    ...(validate !== undefined && { validate }),
  };
}

/** RFC 7519 §4.1.3: a recipient that is not in `aud` must reject the token, and so must one without an audience. */
export function checkOptionalAudience({ aud }: { aud?: unknown }, audience: readonly string[] | undefined): void {
  if (aud === undefined && audience === undefined) return;
  if (aud === undefined) throw new AuthError('CLAIM_MISSING', { claim: 'aud' });
  if (audience?.some((name) => [aud].flat().includes(name)) === true) return;
  throw new AuthError('AUDIENCE_MISMATCH', { claim: 'aud', expected: audience ?? 'none' });
}

export function checkListed(claims: AccessTokenClaims, claim: string, list: readonly string[]): void {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (value === undefined) throw new AuthError('CLAIM_MISSING', { claim });
  if (typeof value !== 'string' || !list.includes(value))
    throw new AuthError('CLAIM_INVALID', { claim, expected: list });
}
