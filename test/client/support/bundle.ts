import { basename } from 'node:path';
import { build } from 'esbuild';

/** Files by their name, as a bundler makes them of the client for a page. */
export type Bundle = ReadonlyMap<string, Uint8Array>;

/** Bundles entry points, with the worker beside them, as pages get them. */
export async function bundle(...entryPoints: string[]): Promise<Bundle> {
  const { outputFiles } = await build({
    entryPoints: [...entryPoints, 'src/client/hash.worker.ts'],
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outdir: 'out',
    entryNames: '[name]',
    write: false,
  });
  return new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
}
