import { register } from 'node:module';

/**
 * Lets plain node import the sources: `node --import ./test/support/typescript.js src/server/main.ts`. For the
 * programs that tests start, and for jest's global set-up, which jest itself loads without its module mapping.
 */
register('./typescript-hooks.js', import.meta.url);
