import { connect, type Socket } from 'node:net';

type Fields = readonly (readonly [name: string, value: string])[];

/** Sends a GET request over HTTP/1.1 with exactly these fields. Returns the body of the response. */
export async function rawHttp1(url: string, path: string, fields: Fields): Promise<string> {
  const { host, hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: close',
    ...fields.map((field) => field.join(':')),
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

const [DATA, HEADERS, SETTINGS] = [0x0, 0x1, 0x4];
const END_STREAM = 0x1;
const END_HEADERS = 0x4;

/**
 * Sends a GET request over HTTP/2 without TLS (RFC 9113) with exactly these fields: Node's client does not send several `authorization`
 * fields. Returns the body of the response.
 */
export async function rawHttp2(url: string, path: string, fields: Fields): Promise<string> {
  const { host, hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const own = Object.entries({ ':method': 'GET', ':scheme': 'http', ':path': path, ':authority': host });
  // RFC 7541 §6.2.2: literal fields without indexing.
  const block = [...own, ...fields].flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]);
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(frame(SETTINGS, 0, 0, Buffer.alloc(0)));
  socket.write(frame(HEADERS, END_HEADERS | END_STREAM, 1, Buffer.concat(block)));
  return readBody(socket);
}

async function readBody(socket: Socket): Promise<string> {
  let received = Buffer.alloc(0);
  let body = '';
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer]);
    for (let end = frameLength(received); end <= received.length; end = frameLength(received)) {
      const [type, flags = 0] = received.subarray(3);
      if (type === DATA) body += received.subarray(9, end).toString();
      received = received.subarray(end);
      // The loop ends here, which destroys the socket.
      if (type !== SETTINGS && (flags & END_STREAM) !== 0) return body;
    }
  }
  throw new Error('The server closed the connection');
}

function frameLength(received: Buffer): number {
  return received.length < 9 ? Infinity : 9 + received.readUIntBE(0, 3);
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.set([type, flags], 3);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** RFC 7541 §5.1, §5.2. */
function literal(text: string): Buffer {
  const length = [Math.min(text.length, 127)];
  if (text.length >= 127) {
    let rest = text.length - 127;
    for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), Buffer.from(text, 'latin1')]);
}
