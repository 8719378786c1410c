import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface SelfSigned {
  readonly key: string;
  /** Also the CA to be trusted. */
  readonly cert: string;
}

// X.690: what DER calls the few types that a certificate has.
const [INTEGER, BIT_STRING, OCTET_STRING, OID, UTF8, UTC_TIME, SEQUENCE, SET] = [
  0x02, 0x03, 0x04, 0x06, 0x0c, 0x17, 0x30, 0x31,
];

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const oid = (hex: string) => der(OID, Buffer.from(hex, 'hex'));
const utcTime = (time: Date) =>
  der(UTC_TIME, Buffer.from(`${time.toISOString().replace(/\D/g, '').slice(2, 14)}Z`, 'ascii'));

/**
 * A certificate (RFC 5280 §4.1) for this host, on loopback or behind a proxy, valid for an hour from now. Made here, so
 * that no test needs a tool that is not there, or a file that expires.
 */
export function selfSigned(hostname: string): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = der(SEQUENCE, oid('2a8648ce3d040302'));
  const commonName = der(SEQUENCE, oid('550403'), der(UTF8, Buffer.from('nestjs-resource-server test')));
  const name = der(SEQUENCE, der(SET, commonName));
  const now = Date.now();
  const validity = der(SEQUENCE, utcTime(new Date(now - 3_600_000)), utcTime(new Date(now + 3_600_000)));
  // subjectAltName, as dNSName [2] or iPAddress [7].
  const address = hostname.split('.').map(Number);
  const isAddress = address.length === 4 && address.every((byte) => byte >= 0 && byte < 256);
  const host = isAddress ? der(0x87, Buffer.from(address)) : der(0x82, Buffer.from(hostname, 'ascii'));
  const alternativeName = der(SEQUENCE, oid('551d11'), der(OCTET_STRING, der(SEQUENCE, host)));
  const certificate = der(
    SEQUENCE,
    // Version 3.
    der(0xa0, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, alternativeName)),
  );
  const signature = der(BIT_STRING, Buffer.from([0]), sign('sha256', certificate, privateKey));
  const signed = der(SEQUENCE, certificate, ecdsaWithSha256, signature).toString('base64');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${signed.replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`,
  };
}
