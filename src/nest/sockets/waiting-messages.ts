// For one socket.
const MAX_MESSAGES = 100;
const MAX_BYTES = 4 * 1024 * 1024;

/** The messages of one socket that wait until it is admitted, or until its new token is accepted or rejected. */
export class WaitingMessages {
  private readonly rejects = new Set<(refusal: Error) => void>();
  private bytes = 0;

  /** Returns whether a message may wait. A single message may have any size that the server of the sockets accepts. */
  hasRoomFor(bytes: number): boolean {
    const { size } = this.rejects;
    return size === 0 || (size < MAX_MESSAGES && this.bytes + bytes <= MAX_BYTES);
  }

  /** Waits for the decision. @throws what it rejects with, or the refusal of all messages. */
  wait(decision: Promise<unknown>, bytes: number): Promise<unknown> {
    let reject: (refusal: Error) => void = () => undefined;
    const refused = new Promise<never>((_resolve, rejectThis) => (reject = rejectThis));
    this.rejects.add(reject);
    this.bytes += bytes;
    return Promise.race([decision, refused]).finally(() => {
      this.rejects.delete(reject);
      this.bytes -= bytes;
    });
  }

  /** Refuses all messages that wait, so that their data is released before the decision. */
  refuse(refusal: Error): void {
    for (const reject of this.rejects) reject(refusal);
  }
}

// Approximately what V8 needs for an object or an array, and for each of its members.
const OBJECT_BYTES = 32;
const MEMBER_BYTES = 8;

/** Estimates the bytes that parsed data occupies. Stops counting above the limit of all messages. */
export function estimateBytes(data: unknown): number {
  let bytes = 0;
  const values = [data];
  while (values.length > 0 && bytes <= MAX_BYTES) {
    const value = values.pop();
    if (typeof value === 'string') bytes += Buffer.byteLength(value);
    else if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) bytes += value.byteLength;
    else if (typeof value === 'object' && value !== null) {
      const members: readonly unknown[] = Array.isArray(value) ? value : Object.entries(value).flat();
      bytes += OBJECT_BYTES + members.length * MEMBER_BYTES;
      if (bytes <= MAX_BYTES) for (const member of members) values.push(member);
    }
  }
  return bytes;
}
