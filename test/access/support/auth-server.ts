import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that is asked who is calling; `answer` is replaced by each test. */
export class FakeAuthServer {
  readonly asked: IncomingMessage[] = [];
  answer: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;
  private readonly server = createServer((request, response) => {
    this.asked.push(request);
    this.answer(request, response);
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/me?from=uploads`;
  }

  /** Answers every question with this status and JSON. */
  says(status: number, json?: unknown, headers: Record<string, string> = {}): void {
    this.answer = (_request, response) => {
      response.writeHead(status, headers).end(json === undefined ? '' : JSON.stringify(json));
    };
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
