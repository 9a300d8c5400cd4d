import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect } from '@jest/globals';
import { itInBrowser, MEDIUM, type PageRig, SLOW } from '../support/page-rig.js';
import { md5OfFile, PageSite } from '../support/page-site.js';
import { PageVisit } from '../support/page-visit.js';

/** Servers of other kinds: with sessions, behind a prefix, on Fastify. */
export function describeSites(rig: PageRig): void {
  describe('with a session that ends in the middle', () => {
    itInBrowser('says so, and goes on after signing in again', async () => {
      let isSignedIn = true;
      const accounts = createServer((_request, response) => {
        response
          .writeHead(isSignedIn ? 200 : 401, { 'Content-Type': 'application/json' })
          .end('{"id":"ann"}');
      });
      await new Promise<void>((resolve) => accounts.listen(0, '127.0.0.1', resolve));
      const { port } = accounts.address() as AddressInfo;
      const guarded = await PageSite.start(rig.sources, {
        CHUNKED_UPLOAD_AUTH: 'external',
        CHUNKED_UPLOAD_AUTH_URL: `http://127.0.0.1:${port}/me`,
        CHUNKED_UPLOAD_AUTH_CHALLENGE: 'Cookie',
      });
      try {
        const context = await rig.browser.newContext();
        await context.addCookies([{ name: 'session', value: 'ann', url: guarded.url }]);
        const person = rig.follow(await PageVisit.openIn(context, guarded.url));
        guarded.proxy.bytesPerSecond = SLOW;
        await person.choose(rig.medium);
        await person.sent(MEDIUM, 0.4);
        isSignedIn = false;
        const row = await person.inState('failed', MEDIUM);
        await row.getByText('You are signed out. Sign in, then try again').waitFor();
        await person.look('signed-out');
        isSignedIn = true;
        guarded.proxy.bytesPerSecond = Infinity;
        await person.button('Try again', MEDIUM).click();
        await person.finished(MEDIUM);
        expect(await guarded.stored()).toEqual({ [MEDIUM]: await md5OfFile(rig.medium) });
      } finally {
        await guarded.stop();
        accounts.close();
      }
    });
  });

  describe('behind a proxy that takes /a/b off, on Fastify', () => {
    itInBrowser('finds everything below /a/b', async () => {
      const away = await PageSite.start(rig.sources, { CHUNKED_UPLOAD_ADAPTER: 'fastify' }, '/a/b');
      try {
        const person = await rig.visit(away.url);
        const outside: string[] = [];
        person.page.on('request', (request) => {
          if (!new URL(request.url()).pathname.startsWith('/a/b/')) outside.push(request.url());
        });
        await person.choose(rig.medium);
        await person.finished(MEDIUM);
        await person.page.reload();
        await person.finished(MEDIUM);
        const [download] = await Promise.all([
          person.page.waitForEvent('download'),
          person.page.getByRole('link', { name: `Download ${MEDIUM}` }).click(),
        ]);
        expect(await md5OfFile(await download.path())).toBe(await md5OfFile(rig.medium));
        expect(outside).toEqual([]);
      } finally {
        await away.stop();
      }
    });
  });
}
