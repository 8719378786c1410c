import type {
  StoredOAuthClientInformation,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import { authorize } from '../sign-in.js';

const REDIRECT_URI = 'http://127.0.0.1/callback';

/** The storage of an MCP client whose user signs in immediately. */
export class McpUser implements OAuthClientProvider {
  readonly redirectUrl = REDIRECT_URI;
  readonly clientMetadata = {
    client_name: 'Demo client',
    redirect_uris: [REDIRECT_URI],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'native',
  };
  /** The parameters of the authorization requests (RFC 6749 §4.1.1), in order. */
  readonly requested: URLSearchParams[] = [];
  /** The parameters of the last authorization response. */
  response = new URLSearchParams();
  private information: StoredOAuthClientInformation | undefined;
  private saved: StoredOAuthTokens | undefined;
  private verifier = '';
  private discovered: OAuthDiscoveryState | undefined;

  constructor(private readonly login: string) {}

  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.information;
  }

  saveClientInformation(information: StoredOAuthClientInformation): void {
    this.information = information;
  }

  tokens(): StoredOAuthTokens | undefined {
    return this.saved;
  }

  saveTokens(tokens: StoredOAuthTokens): void {
    this.saved = tokens;
  }

  saveCodeVerifier(verifier: string): void {
    this.verifier = verifier;
  }

  codeVerifier(): string {
    return this.verifier;
  }

  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.discovered = state;
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.discovered;
  }

  async redirectToAuthorization(address: URL): Promise<void> {
    this.requested.push(address.searchParams);
    this.response = await authorize(address.href, REDIRECT_URI, this.login);
  }
}
