import { describe, expect, it } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { connectionBroke, whyUnreadable } from './request-failure.js';

const requestOf = (body: Readable) => body as unknown as IncomingMessage;

describe('whyUnreadable', () => {
  it('finds nothing wrong with a request that has yet to be read', () => {
    expect(whyUnreadable(requestOf(Readable.from(['x'])))).toBeNull();
  });

  it('knows one that was read, one that broke, and one that was closed', async () => {
    const read = Readable.from(['x']);
    await finished(read.resume());
    expect(whyUnreadable(requestOf(read))?.message).toBe('The body of the request has already been read.');

    const cause = new Error('aborted');
    const broken = Readable.from(['x']).on('error', () => undefined);
    broken.destroy(cause);
    expect(whyUnreadable(requestOf(broken))).toBe(cause);

    const closed = Readable.from(['x']).destroy();
    expect(whyUnreadable(requestOf(closed))).toEqual(connectionBroke());
  });
});

describe('connectionBroke', () => {
  it('looks like the error of Node', () => {
    expect(connectionBroke()).toMatchObject({ message: 'aborted', code: 'ECONNRESET' });
  });
});
