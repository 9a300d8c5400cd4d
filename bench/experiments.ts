import type { Contender, RunningServer } from './contenders.js';
import { type Experiment, type Figures, type Material, MIB, uploadAtOnce } from './experiment.js';
import { expectStatus, HttpClient } from './http-client.js';
import { tus } from './protocols/tus.js';
import { percentile } from './statistics.js';

const CHUNKED = [
  'bare: discard',
  'bare: pipe',
  'bare: writev',
  'bare: writev+md5',
  'bare: writev+sha256',
  'bare: writev+md5+sync',
  'nginx: dav',
  'django: gunicorn',
  'ours: complete',
  'ours: complete+md5',
  'ours: complete+sha256',
  'ours: defaults',
  'ours: defaults, fastify',
  'tus: node',
  'tus: nest',
  'uploadx: node',
];
const FORMS = ['bare: busboy', 'ours: complete, form', 'django: gunicorn', 'multer: nest'];
/** Those that take the same forms as each other. */
const CHUNK_FORMS = ['bare: busboy, chunks', 'ours: complete, form', 'django: gunicorn'];
const WHOLE_FORMS = ['bare: busboy', 'ours: complete, form', 'multer: nest'];
const QUERIES = 1000;

/** All tables, for files of `sizeBytes`. */
export function experiments(material: Material, sizeBytes: number): readonly Experiment[] {
  return [
    ...[1, 5, 16].map((mib) => oneUpload(material, sizeBytes, mib * MIB)),
    oneUpload(material, sizeBytes, sizeBytes, ['multer: nest', 'bare: busboy']),
    forms(material, sizeBytes),
    ...[5, 16].map((mib) => sameForms(material, sizeBytes, mib * MIB, CHUNK_FORMS)),
    sameForms(material, sizeBytes, sizeBytes, WHOLE_FORMS),
    atOnce(material, sizeBytes, 16),
    atOnce(material, sizeBytes, 64),
    tiny(material, 4 * 1024),
    tiny(material, 64 * 1024),
    completion(material),
    offsetQueries(material),
  ];
}

function oneUpload(
  material: Material,
  sizeBytes: number,
  chunkBytes: number,
  more: readonly string[] = [],
): Experiment {
  const chunks = chunkName(chunkBytes, sizeBytes);
  return {
    name: `one upload, ${chunks}`,
    about: `${sizeBytes / MIB} MiB from one client, raw (Django knows only forms), ${chunks === 'whole' ? 'in one request' : `in chunks of ${chunks}`}.`,
    contenders: [...CHUNKED, ...more],
    baseline: 'bare: writev',
    column: 'MB/s',
    run: upload(material, { sizeBytes, chunkBytes, count: 1 }),
  };
}

function chunkName(chunkBytes: number, sizeBytes: number): string {
  return chunkBytes === sizeBytes ? 'whole' : `${chunkBytes / MIB} MiB`;
}

function forms(material: Material, sizeBytes: number): Experiment {
  return {
    name: 'multipart',
    about: `${sizeBytes / MIB} MiB as forms: ours and Django's in chunks of 16 MiB, the others know only whole files.`,
    contenders: FORMS,
    baseline: 'bare: busboy',
    column: 'MB/s',
    run: upload(material, { sizeBytes, chunkBytes: 16 * MIB, count: 1 }),
  };
}

/** The same for all, so that the ratio is that of the server and not of the size of its forms. */
function sameForms(
  material: Material,
  sizeBytes: number,
  chunkBytes: number,
  contenders: readonly string[],
): Experiment {
  const chunks = chunkName(chunkBytes, sizeBytes);
  return {
    name: `multipart, ${chunks}`,
    about: `${sizeBytes / MIB} MiB, ${chunks === 'whole' ? 'as one form' : `as forms of ${chunks} each; busboy puts nothing together`}.`,
    contenders,
    baseline: contenders[0] ?? '',
    column: 'MB/s',
    run: upload(material, { sizeBytes, chunkBytes, count: 1 }),
  };
}

function atOnce(material: Material, sizeBytes: number, count: number): Experiment {
  // The same bytes in all, in whole chunks.
  const each = Math.max(1, Math.round(sizeBytes / count / (5 * MIB))) * 5 * MIB;
  return {
    name: `${count} uploads at once`,
    about: `${count} clients, ${each / MIB} MiB each, in chunks of 5 MiB.`,
    contenders: CHUNKED,
    baseline: 'bare: writev',
    column: 'MB/s',
    run: upload(material, { sizeBytes: each, chunkBytes: 5 * MIB, count }),
  };
}

function tiny(material: Material, chunkBytes: number): Experiment {
  const name = `${chunkBytes / 1024} KiB chunks`;
  return {
    name,
    about: `1000 chunks of ${chunkBytes / 1024} KiB, one behind the other; ours updates its row durably each time.`,
    contenders: [
      'ours: complete+md5',
      'ours: defaults',
      'ours: defaults, fastify',
      'tus: node',
      'tus: nest',
      'uploadx: node',
      'django: gunicorn',
    ],
    baseline: 'tus: nest',
    column: 'chunks/s',
    run: upload(material, { sizeBytes: 1000 * chunkBytes, chunkBytes, count: 1 }),
  };
}

/** Beside `completion ms` of the big files above: it must not depend on the size. */
function completion(material: Material): Experiment {
  return {
    name: 'small files',
    about:
      'Files of 10 MiB in two chunks, one behind the other; compare their completion with that of the big ones above.',
    contenders: ['ours: complete+md5', 'ours: defaults', 'tus: nest', 'uploadx: node'],
    baseline: 'tus: nest',
    column: 'MB/s',
    run: upload(material, { sizeBytes: 10 * MIB, chunkBytes: 5 * MIB, count: 1 }),
  };
}

function upload(
  { pattern, checksum }: Material,
  { sizeBytes, chunkBytes, count }: { sizeBytes: number; chunkBytes: number; count: number },
): Experiment['run'] {
  const job = { pattern, sizeBytes, chunkBytes, checksum: (name: string) => checksum(name, sizeBytes) };
  return (contender, server) => uploadAtOnce(contender, server, { job, count });
}

function offsetQueries({ pattern }: Material): Experiment {
  return {
    name: 'offset queries',
    about: `"How far did I get?", ${QUERIES} times, one behind the other.`,
    contenders: ['ours: defaults', 'ours: defaults, fastify', 'tus: node', 'tus: nest'],
    baseline: 'tus: nest',
    column: 'requests/s',
    run: async (contender: Contender, server: RunningServer): Promise<Figures> => {
      const client = new HttpClient(server.origin);
      const isTus = contender.protocol === tus;
      const headers = isTus
        ? { 'Tus-Resumable': '1.0.0', 'Upload-Length': 10 }
        : { 'Content-Range': 'bytes 0-4/10' };
      const body = { pattern, start: 0, length: 5 };
      const created = isTus
        ? expectStatus(await client.send('/files', { method: 'POST', headers }), 201)
        : expectStatus(await client.send('/upload?filename=a.bin', { method: 'PUT', headers }, body), 200);
      const url = created.headers.location ?? '';
      const latencies: number[] = [];
      const begunAt = performance.now();
      for (let i = 0; i < QUERIES; i++) {
        const askedAt = performance.now();
        expectStatus(await client.send(url, { method: 'HEAD', headers: isTus ? headers : {} }), 200);
        latencies.push(performance.now() - askedAt);
      }
      const seconds = (performance.now() - begunAt) / 1000;
      expectStatus(await client.send(url, { method: 'DELETE', headers: isTus ? headers : {} }), 204);
      client.close();
      return {
        'requests/s': QUERIES / seconds,
        'p50 ms': percentile(latencies, 0.5),
        'p99 ms': percentile(latencies, 0.99),
      };
    },
  };
}
