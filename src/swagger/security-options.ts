interface Named {
  /**
   * Name of the scheme in the document: letters, digits, `.`, `-`, `_`. Default `accessToken`. With `kind`, what the document has
   * of this name is replaced. Without it, the document must have a scheme of the name that is given here, which is taken as it is.
   */
  readonly scheme?: string;
}

/**
 * A scheme of the document, if it has one of the name. Else the kind is taken from the options of `AuthModule`, without asking anybody: `openIdConnect` of the first issuer whose
 * keys are found by OpenID Connect Discovery at its own address; else (keys from elsewhere, an `issuers` function) `bearer`.
 */
export interface DerivedScheme extends Named {
  readonly kind?: undefined;
}

/** A token that was had somewhere else: `http` with `bearer`. */
export interface BearerScheme extends Named {
  readonly kind: 'bearer';
}

/** Authorization code (RFC 6749 §4.1); with PKCE when {@link authorizeButton} sets up Swagger UI. */
export interface OAuth2Scheme extends Named {
  readonly kind: 'oauth2';
  /**
   * The authorization endpoint: where the browser goes. Https, or http on loopback; any http in a closed network where `AuthModule`
   * has `insecureAllowHttp`.
   */
  readonly authorizationUrl: string;
  /** The token endpoint; the same addresses. For Swagger UI it must answer requests of the UI's origin (CORS). */
  readonly tokenUrl: string;
  /** Name and description. Scopes that a route requires are added without one. */
  readonly scopes?: Readonly<Record<string, string>>;
}

/** What the issuer's metadata says. For Swagger UI its address must answer requests of the UI's origin (CORS). */
export interface OpenIdConnectScheme extends Named {
  readonly kind: 'openIdConnect';
  /**
   * Default: that of the first issuer of `AuthModule` that has any by OpenID Connect Discovery. Https, or http as for the addresses of
   * {@link OAuth2Scheme}.
   */
  readonly openIdConnectUrl?: string;
}

export type SecurityOptions = DerivedScheme | BearerScheme | OAuth2Scheme | OpenIdConnectScheme;
