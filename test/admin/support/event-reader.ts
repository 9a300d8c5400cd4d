import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { eventually } from '../../support/http.js';

/** An event as it came. */
export interface ReceivedEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A client of server-sent events. */
export class EventReader {
  readonly events: ReceivedEvent[] = [];
  hasEnded = false;

  private constructor(
    readonly response: IncomingMessage,
    private readonly outgoing: ClientRequest,
  ) {}

  static async open(url: string, headers: Record<string, string>): Promise<EventReader> {
    // Not by fetch, which opens further connections after one that was given up, and leaves them open.
    const outgoing = request(url, { headers, agent: false }).end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const reader = new EventReader(response, outgoing);
    void reader.read().catch(() => (reader.hasEnded = true));
    return reader;
  }

  /** Waits until the last event of this name is as the check wants it. */
  async until(event: string, check: (data: ReceivedEvent['data']) => void): Promise<void> {
    await eventually(() => {
      const last = this.events.findLast((received) => received.event === event);
      if (!last) return Promise.reject(new Error(`No ${event} among ${JSON.stringify(this.events)}`));
      check(last.data);
      return Promise.resolve();
    });
  }

  close(): void {
    this.outgoing.destroy();
  }

  private async read(): Promise<void> {
    let text = '';
    for await (const piece of this.response as AsyncIterable<Buffer>) {
      const messages = (text + piece.toString('utf8')).split('\n\n');
      text = messages.pop() ?? '';
      for (const message of messages) {
        const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(message) ?? [];
        if (event && data) this.events.push({ event, data: JSON.parse(data) as ReceivedEvent['data'] });
      }
    }
    this.hasEnded = true;
  }
}
