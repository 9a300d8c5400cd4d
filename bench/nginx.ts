import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningServer } from './contenders.js';
import { freePort } from './free-port.js';

/** nginx with WebDAV `PUT` and bodies kept in memory up to a mebibyte, its fastest; null when it is not installed. */
export async function startNginx(folder: string): Promise<RunningServer | null> {
  if (spawnSync('nginx', ['-v']).error) return null;
  const place = join(folder, 'nginx');
  await mkdir(join(place, 'root', 'dav'), { recursive: true });
  const port = await freePort();
  const config = join(place, 'nginx.conf');
  await writeFile(config, configuration(place, port));
  const started = spawnSync('nginx', ['-c', config, '-e', join(place, 'error.log')]);
  if (started.status !== 0) throw new Error(`nginx: ${started.stderr.toString()}`);
  return {
    origin: `http://127.0.0.1:${port}`,
    resetPeak: () => Promise.resolve(),
    usage: () => Promise.resolve({ cpuSeconds: null, peakBytes: null }),
    stop: () => {
      spawnSync('nginx', ['-c', config, '-e', join(place, 'error.log'), '-s', 'quit']);
      return Promise.resolve();
    },
  };
}

function configuration(place: string, port: number): string {
  // Workers of a root's nginx would run as nobody, who cannot write here.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `${user} worker_processes 2; pid ${place}/nginx.pid; error_log ${place}/error.log;
events {}
http {
  access_log off;
  server {
    listen 127.0.0.1:${port};
    root ${place}/root;
    client_max_body_size 0;
    client_body_buffer_size 1m;
    client_body_temp_path ${place}/temp;
    location /dav { dav_methods PUT DELETE; create_full_put_path on; }
  }
}
`;
}
