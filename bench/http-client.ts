import { Agent, type ClientRequest, type IncomingMessage, request, type RequestOptions } from 'node:http';
import { once } from 'node:events';

/** The bytes of every file: one mebibyte of noise, again and again. */
export interface Pattern {
  readonly bytes: Buffer;
}

/** A body that is made while it is sent, so that the client's memory and time do not depend on its size. */
export interface PatternBody {
  readonly pattern: Pattern;
  /** Offset in the file. */
  readonly start: number;
  readonly length: number;
  /** Sent before and behind the bytes, such as the frame of a form. */
  readonly head?: Buffer;
  readonly tail?: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** One client with one connection that is kept open, as a browser has it. */
export class HttpClient {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(readonly origin: string) {}

  /** @param target path, or a whole url of this origin. */
  async send(target: string, options: RequestOptions, body?: PatternBody | string): Promise<Answer> {
    const url = new URL(target, this.origin);
    const sent = request(url, { ...options, agent: this.agent });
    const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
    // Awaited below; a body that is cut off must not end the process before that.
    answered.catch(() => undefined);
    if (typeof body === 'object') await sendPattern(sent, body);
    else sent.end(body);
    const [answer] = await answered;
    let text = '';
    for await (const piece of answer.setEncoding('utf8')) text += piece as string;
    return { status: answer.statusCode ?? 0, headers: answer.headers, text };
  }

  close(): void {
    this.agent.destroy();
  }
}

async function sendPattern(
  sent: ClientRequest,
  { pattern, start, length, head, tail }: PatternBody,
): Promise<void> {
  if (head) sent.write(head);
  for (const piece of slices(pattern, start, length)) {
    if (!sent.write(piece)) await once(sent, 'drain');
  }
  sent.end(tail);
}

/** The file's bytes from `start`, in pieces of the pattern. */
export function* slices({ bytes }: Pattern, start: number, length: number): Generator<Buffer> {
  for (let at = start; at < start + length;) {
    const from = at % bytes.length;
    const piece = bytes.subarray(from, Math.min(bytes.length, from + start + length - at));
    yield piece;
    at += piece.length;
  }
}

/** @throws Error with the server's own words, since a benchmark of refusals measures nothing. */
export function expectStatus(answer: Answer, ...statuses: readonly number[]): Answer {
  if (statuses.includes(answer.status)) return answer;
  throw new Error(
    `Expected ${statuses.join(' or ')}, was answered ${answer.status}: ${answer.text.slice(0, 300)}`,
  );
}
