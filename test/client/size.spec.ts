import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { bundle } from './support/bundle.js';

const MOST_BYTES = 8192;

describe('The client for browsers', () => {
  it(`is at most ${MOST_BYTES} bytes, minified and compressed, with its worker`, async () => {
    const files = await bundle('src/client/index.ts');
    const sizes = [...files].map(
      ([name, content]) => [name, gzipSync(content, { level: 9 }).length] as const,
    );
    const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
    process.stdout.write(`client: ${total} bytes (${sizes.map((size) => size.join(' ')).join(', ')})\n`);
    expect(total).toBeLessThanOrEqual(MOST_BYTES);
  });
});
