import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { FAULTS, send } from './faults.mjs';
import { POLICY } from './policy.mjs';
import { createKey } from './tokens.mjs';

const ALGORITHMS = ['RS256', 'ES256'];
const REST_BETWEEN_ROTATIONS_MS = 1_500;
/** Time between the last token of the old key and its withdrawal. */
const DRAIN_MS = 1_000;
/** Tolerance for the HTTP exchange and a busy machine. */
const SLACK_MS = 2_000;
/** Simulated network latency, so that several requests wait for the same response. */
const ANSWER_MS = 20;
/** Number of withdrawn keys that traffic still uses. */
const MAX_WITHDRAWN = 8;
const MAX_ANSWERS = 100;

/**
 * An authorization server on loopback that rotates its keys and simulates one fault after the other. It signs with a new
 * key only after it has published the key and the application has fetched it.
 */
export class Issuer {
  /** The current signing key of each algorithm. */
  current = {};
  /** Withdrawn keys. `goneAt`: the time from which the application must reject the key. */
  withdrawn = [];
  calls = { keySets: 0, metadata: 0, elsewhere: 0 };
  /** The duration of each outage, and the key set requests during it. */
  outages = [];
  /** Number of open requests. */
  open = 0;
  rotations = 0;
  mayFail = false;
  faultsMet = new Set();
  /** Violations that the issuer detects. */
  problems = new Set();
  name = '';

  #server = createServer((request, response) => this.#handle(request, response));
  #published = [];
  #rotation = { step: 'rest', until: 0 };
  #nextKey;
  #keyCount = 0;
  #fault;
  #faultCount;
  #calm = { since: -Infinity, until: Infinity };
  #goodAnswers = [];
  /** The time when the application fetched its current key set. */
  #heldSince = -Infinity;

  /** @param firstFault the index of the first fault, so that several issuers together cover the list sooner. */
  constructor({ firstFault, outageMs, calmMs, props }) {
    Object.assign(this, { outageMs, calmMs, props });
    this.#faultCount = firstFault;
  }

  async start() {
    for (const algorithm of ALGORITHMS) this.current[algorithm] = await this.#createKey(algorithm);
    this.#published = Object.values(this.current);
    this.#prepareNextKey();
    await new Promise((resolve, reject) => this.#server.once('error', reject).listen(0, '127.0.0.1', resolve));
    this.name = `http://127.0.0.1:${this.#server.address().port}`;
    this.#calm.until = Date.now() + this.calmMs[0];
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get fault() {
    return this.#fault?.name;
  }

  /** Receives the key health that the application reports for this issuer. */
  hear({ source, fetchedAt }) {
    if (source !== 'issuer' || fetchedAt <= this.#heldSince) return;
    this.#heldSince = fetchedAt;
    const isOurs = this.#goodAnswers.some((at) => at >= fetchedAt - SLACK_MS && at <= fetchedAt + SLACK_MS);
    if (!isOurs) this.problems.add('KeyHealth reports a key set that the issuer did not send');
    for (const key of this.withdrawn) if (fetchedAt > key.withdrawnAt) key.goneAt ??= Date.now();
  }

  /** Returns whether the application must reject a token of this key that was sent at this time. */
  mustRefuse({ withdrawnAt, goneAt = Infinity }, sentAt) {
    if (sentAt >= goneAt || sentAt > withdrawnAt + POLICY.maxStaleSeconds * 1000) return true;
    const isCalmSince = this.#fault === undefined && this.#calm.since <= withdrawnAt;
    return isCalmSince && sentAt > withdrawnAt + POLICY.refreshSeconds * 1000 + SLACK_MS;
  }

  /** Advances the rotation and the faults. Call it every few milliseconds. */
  tick(now) {
    this.#rotate(now);
    if (this.#fault === undefined) {
      if (this.mayFail && now >= this.#calm.until) this.#begin(FAULTS[this.#faultCount % FAULTS.length], now);
    } else if (this.#fault.calls >= (this.#fault.minCalls ?? 1) && now >= this.#fault.until) {
      this.#end(now);
    }
  }

  /** Ends the current fault and starts no other. */
  recover() {
    this.mayFail = false;
    if (this.#fault !== undefined) this.#end(Date.now());
  }

  #begin(fault, now) {
    const until = now + this.outageMs[this.#faultCount % this.outageMs.length];
    this.#fault = { ...fault, from: now, until, calls: 0 };
    if (!fault.isHarmless) this.#calm.since = Infinity;
  }

  #end(now) {
    const { from, calls, isHarmless } = this.#fault;
    if (!isHarmless) this.outages.push({ seconds: (now - from) / 1000, calls });
    this.#fault = undefined;
    this.#faultCount += 1;
    // The next calm phase starts with the next valid key set response.
    this.#calm.until = Infinity;
  }

  /** Publishes a new key, signs with it after the application has fetched it, drains the old key, and withdraws it. */
  #rotate(now) {
    const rotation = this.#rotation;
    if (rotation.step === 'rest' && now >= rotation.until && this.#nextKey !== undefined) {
      const key = this.#nextKey;
      this.#prepareNextKey();
      this.#published = [...this.#published, key];
      this.#rotation = { step: 'published', key, at: now };
    } else if (rotation.step === 'published' && this.#heldSince > rotation.at) {
      const { key } = rotation;
      const old = this.current[key.algorithm];
      this.current[key.algorithm] = key;
      this.#rotation = { step: 'draining', old, until: now + DRAIN_MS };
    } else if (rotation.step === 'draining' && now >= rotation.until && rotation.old.inFlight === 0) {
      const { old } = rotation;
      this.#published = this.#published.filter((key) => key !== old);
      this.withdrawn = [...this.withdrawn, Object.assign(old, { withdrawnAt: now })].slice(-MAX_WITHDRAWN);
      this.rotations += 1;
      this.#rotation = { step: 'rest', until: now + REST_BETWEEN_ROTATIONS_MS };
    }
  }

  async #createKey(algorithm) {
    this.#keyCount += 1;
    const key = await createKey(algorithm, `key-${this.#keyCount}`);
    return Object.assign(key, { inFlight: 0, tokens: [] });
  }

  #prepareNextKey() {
    this.#nextKey = undefined;
    void this.#createKey(ALGORITHMS[this.#keyCount % ALGORITHMS.length]).then((key) => {
      this.#nextKey = key;
    });
  }

  #handle(request, response) {
    response.on('error', () => undefined);
    this.open += 1;
    response.once('close', () => {
      this.open -= 1;
    });
    const kind = { '/keys': 'keySets', '/elsewhere': 'elsewhere' }[request.url] ?? 'metadata';
    this.calls[kind] += 1;
    const fault = this.#fault;
    const isKeys = kind === 'keySets';
    // Only key set requests count, because the application may request metadata before each of them.
    if (fault !== undefined && isKeys) {
      fault.calls += 1;
      this.faultsMet.add(fault.name);
    }
    if (fault?.answer !== undefined || kind === 'elsewhere') {
      (fault?.answer ?? send)(response, this.#bait());
    } else if (isKeys) {
      setTimeout(() => this.#sendKeys(request, response, fault), fault?.delayMs ?? ANSWER_MS);
    } else if (request.url === '/.well-known/openid-configuration') {
      send(response, JSON.stringify({ issuer: this.name, jwks_uri: `${this.name}/keys` }));
    } else {
      send(response, '{}', { status: 404 });
    }
  }

  #sendKeys(request, response, fault) {
    const good = this.#published.map(({ publicJwk }) => publicJwk);
    const keys = fault?.keys({ ...this.props, good }) ?? good;
    const body = JSON.stringify({ keys });
    if (fault === undefined || fault.isHarmless) this.#answeredWell();
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
    // A misconfigured header: the application must not refetch the keys continuously because of it.
    const headers = { etag, 'cache-control': 'max-age=0' };
    if (request.headers['if-none-match'] === etag) response.writeHead(304, headers).end();
    else send(response, body, headers);
  }

  #answeredWell() {
    const now = Date.now();
    this.#goodAnswers = [...this.#goodAnswers, now].slice(-MAX_ANSWERS);
    if (this.#fault !== undefined || this.#calm.until !== Infinity) return;
    this.#calm = { since: now, until: now + this.calmMs[this.#faultCount % this.calmMs.length] };
  }

  /** Returns attacker keys, with their own kids and with the kids of this issuer. */
  #bait() {
    const { stranger } = this.props;
    const own = Object.values(stranger).map(({ publicJwk }) => publicJwk);
    const asOurs = Object.values(this.current).map(({ kid, algorithm }) => ({ ...stranger[algorithm].publicJwk, kid }));
    return JSON.stringify({ keys: [...own, ...asOurs] });
  }
}
