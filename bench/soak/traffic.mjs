import { randomBytes, randomUUID } from 'node:crypto';
import { Client } from './client.mjs';
import { Pace } from './pace.mjs';
import { createKey, signToken, signWithSecret, unsigned } from './tokens.mjs';

const GOOD_PER_SECOND = 160;
const BAD_PER_SECOND = 45;
const GOOD_CONNECTIONS = 8;
const BAD_CONNECTIONS = 4;
/** Number of tokens per key that are sent repeatedly. Every second valid token is a repeated one. */
const REPEATED_TOKENS = 4;
const NAMELESS_EVERY = 9;
const MAX_NOTES = 10;

/** Creates the keys of invalid tokens. */
export async function createProps() {
  const pair = async (name) => ({ RS256: await createKey('RS256', name), ES256: await createKey('ES256', name) });
  return {
    stranger: await pair('stranger'),
    twin: await pair('twin'),
    leaked: await createKey('ES256', 'leaked'),
    oct: { kty: 'oct', kid: 'oct', alg: 'HS256', k: randomBytes(32).toString('base64url') },
  };
}

/** Creates invalid tokens by kind. Each function returns a token and, for a withdrawn key, the key. */
const BAD = {
  expired: ({ current }, { iss, now }) => ({ token: signToken(current.ES256, { iss, exp: now - 60 }) }),
  'for another audience': ({ current }, { iss }) => ({
    token: signToken(current.ES256, { iss, aud: 'https://a.example' }),
  }),
  'forged RS256': ({ current, props }, { iss }) => forged(current.RS256, props, iss),
  'forged ES256': ({ current, props }, { iss }) => forged(current.ES256, props, iss),
  'of an unknown key': ({ props }, { iss }) => ({ token: signToken(props.stranger.ES256, { iss }) }),
  'of an unknown key, without kid': ({ props }, { iss }) => ({
    token: signToken(props.stranger.ES256, { iss }, { kid: undefined }),
  }),
  'with a random kid': ({ props }, { iss }) => ({
    token: signToken(props.stranger.ES256, { iss }, { kid: randomUUID() }),
  }),
  'of a published private key': ({ props }, { iss }) => ({ token: signToken(props.leaked, { iss }) }),
  'HS256 with a published secret': ({ props }, { iss }) => ({ token: signWithSecret(props.oct, { iss }) }),
  'without signature': (_issuer, { iss }) => ({ token: unsigned({ iss }) }),
  'of another issuer': ({ current }, { other }) => ({ token: signToken(current.ES256, { iss: other }) }),
  'of the last withdrawn key': ({ withdrawn }, { iss }) => ofWithdrawn(withdrawn.at(-1), iss),
  'of the last withdrawn key, without kid': ({ withdrawn }, { iss }) =>
    ofWithdrawn(withdrawn.at(-1), iss, { kid: undefined }),
  'of a withdrawn key': ({ withdrawn }, { iss, index }) => ofWithdrawn(withdrawn[index % (withdrawn.length || 1)], iss),
};

function forged({ kid, algorithm }, { stranger }, iss) {
  return { token: signToken(stranger[algorithm], { iss }, { kid }) };
}

function ofWithdrawn(key, iss, header) {
  return key && { key, token: signToken(key, { iss }, header) };
}

/** Sends valid and invalid tokens at a fixed rate and counts the answers. */
export class Traffic {
  /** Latencies of requests with valid tokens by phase. */
  latencies = {};
  /** Latencies of valid requests that were sent during a call to their issuer. */
  latenciesBesideFetch = [];
  phase = '';
  counts = { good: 0, bad: 0, wrongRefusals: 0, wrongAdmissions: 0, serverErrors: 0, lost: 0, odd: 0 };
  /** Tokens of withdrawn keys that were accepted within the limits of the policy. */
  lateAdmissions = { count: 0, longestMs: 0 };
  /** Descriptions of the first errors. */
  notes = [];

  #issuers;
  #startedAt = Date.now();
  #goodClient;
  #badClient;
  #paces = [new Pace(), new Pace()];
  #running = [];

  constructor(url, issuers) {
    this.#issuers = issuers;
    this.#goodClient = new Client(url, GOOD_CONNECTIONS);
    this.#badClient = new Client(url, BAD_CONNECTIONS);
  }

  start() {
    const [good, bad] = this.#paces;
    this.#running = [
      good.run({ perSecond: GOOD_PER_SECOND }, (index) => this.#sendGood(index)),
      bad.run({ perSecond: BAD_PER_SECOND }, (index) => this.#sendBad(index)),
    ];
  }

  /** Stops sending and resolves after the last answer. */
  async stop() {
    for (const pace of this.#paces) pace.stop();
    await Promise.all(this.#running);
    this.#goodClient.close();
    this.#badClient.close();
  }

  async #sendGood(index) {
    const { phase } = this;
    const issuer = this.#issuers[index % this.#issuers.length];
    const turn = Math.floor(index / this.#issuers.length);
    const key = issuer.current[turn % 2 === 0 ? 'RS256' : 'ES256'];
    const { token, sub } = goodToken(key, issuer.name, turn);
    const isBesideFetch = issuer.open > 0;
    key.inFlight += 1;
    const { status, body, ms } = await this.#goodClient.get(token);
    key.inFlight -= 1;
    this.counts.good += 1;
    (this.latencies[phase] ??= []).push(ms);
    if (isBesideFetch) this.latenciesBesideFetch.push(ms);
    if (status === 200 && body.sub === sub) return;
    const what = `valid token of ${key.kid} (${key.algorithm})`;
    if (status === 200) this.#note('wrongAdmissions', `${what} was accepted as another user`, issuer);
    else if (status === 0) this.#note('lost', `${what} got no answer: ${body.code}`, issuer);
    else this.#note(status >= 500 ? 'serverErrors' : 'wrongRefusals', `${what} got ${status} ${body.code}`, issuer);
  }

  async #sendBad(index) {
    const kinds = Object.entries(BAD);
    const [kind, make] = kinds[index % kinds.length];
    const turn = Math.floor(index / kinds.length);
    const issuer = this.#issuers[turn % this.#issuers.length];
    const other = this.#issuers[(turn + 1) % this.#issuers.length].name;
    const sentAt = Date.now();
    const bad = make(issuer, { iss: issuer.name, other, now: Math.floor(sentAt / 1000), index: turn });
    if (bad === undefined) return;
    const { status, body, retryAfter } = await this.#badClient.get(bad.token);
    this.counts.bad += 1;
    if (status === 200) {
      this.#judgeAdmission(kind, bad.key, issuer, sentAt);
    } else if (status === 0) {
      this.#note('lost', `token ${kind} got no answer: ${body.code}`, issuer);
    } else if (status !== 401 && (status !== 503 || retryAfter === undefined)) {
      this.#note('odd', `token ${kind} got ${status}, Retry-After: ${retryAfter}`, issuer);
    }
  }

  #judgeAdmission(kind, key, issuer, sentAt) {
    if (key === undefined || issuer.mustRefuse(key, sentAt)) {
      this.#note('wrongAdmissions', `token ${kind} ${key?.kid ?? ''} was accepted`, issuer);
      return;
    }
    this.lateAdmissions.count += 1;
    this.lateAdmissions.longestMs = Math.max(this.lateAdmissions.longestMs, sentAt - key.withdrawnAt);
  }

  #note(counter, text, issuer) {
    this.counts[counter] += 1;
    if (this.notes.length >= MAX_NOTES) return;
    const seconds = ((Date.now() - this.#startedAt) / 1000).toFixed(2);
    this.notes.push(`${seconds} s, ${this.phase}, issuer ${issuer.name} (fault: ${issuer.fault ?? 'none'}): ${text}`);
  }
}

function goodToken(key, iss, turn) {
  const sub = randomUUID();
  const header = turn % NAMELESS_EVERY === 0 ? { kid: undefined } : {};
  const isFresh = Math.floor(turn / 2) % 2 === 0;
  const { tokens } = key;
  if (!isFresh && tokens.length === REPEATED_TOKENS) return tokens[turn % REPEATED_TOKENS];
  const made = { sub, token: signToken(key, { iss, sub }, header) };
  if (tokens.length < REPEATED_TOKENS) tokens.push(made);
  return made;
}
