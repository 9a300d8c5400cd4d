import type { ServerResponse } from 'node:http';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Agent } from './agent.js';
import type { Bundle } from './bundle.js';
import type { StartClient, TestClient } from './test-client.js';

const PAGE = '/client-test/';
const HTML = '<!doctype html><title>client</title><script type="module" src="page.js"></script>';
/** As strict as apps have it: nothing of the client may need more. */
const POLICY = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'";

/** Serves the page of the client, and its modules. */
export function servePage(files: Bundle): (path: string, response: ServerResponse) => boolean {
  return (path, response) => {
    if (!path.startsWith(PAGE)) return false;
    const script = files.get(path.slice(PAGE.length));
    response.setHeader('Content-Security-Policy', POLICY);
    response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html');
    response.end(script ?? HTML);
    return true;
  };
}

/** The client in a page of a real browser. */
export function startBrowserClient(browser: Browser): StartClient {
  return async (origin) => {
    const context = await browser.newContext();
    const client = new BrowserClient(context, await context.newPage(), `${origin}${PAGE}`);
    await client.reopen();
    return client;
  };
}

class BrowserClient implements TestClient {
  constructor(
    private readonly context: BrowserContext,
    private readonly page: Page,
    private readonly url: string,
  ) {}

  begin = (...args: Parameters<Agent['begin']>) => this.ask('begin', args);
  enqueue = (...args: Parameters<Agent['enqueue']>) => this.ask('enqueue', args);
  all = (...args: Parameters<Agent['all']>) => this.ask('all', args);
  iterate = (...args: Parameters<Agent['iterate']>) => this.ask('iterate', args);
  command = (...args: Parameters<Agent['command']>) => this.ask('command', args);
  snapshot = async (id: number) => this.ask('snapshot', [id]);
  remembered = (...args: Parameters<Agent['remembered']>) => this.ask('remembered', args);
  key = (...args: Parameters<Agent['key']>) => this.ask('key', args);

  async reopen() {
    await this.context.setOffline(false);
    await this.page.goto(this.url);
    await this.page.waitForFunction('globalThis.agent');
  }

  async setOffline(isOffline: boolean) {
    await this.context.setOffline(isOffline);
  }

  async close() {
    await this.context.close();
  }

  private ask<Name extends keyof Agent>(
    name: Name,
    args: unknown[],
  ): Promise<Awaited<ReturnType<Agent[Name]>>> {
    return this.page.evaluate(
      ({ method, values }) =>
        (globalThis as unknown as { agent: Record<string, (...all: unknown[]) => never> }).agent[method]?.(
          ...values,
        ) as never,
      { method: name, values: args },
    );
  }
}
