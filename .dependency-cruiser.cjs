/**
 * The layers, as a rule: imports go the way a request goes (protocols → engine → storage, persistence), never
 * back. An engine that knows HTTP can serve only one protocol; a driver that knows the engine cannot be swapped.
 */
const layer = (name, from, mayImport, reason) => ({
  name,
  comment: reason,
  severity: 'error',
  from: { path: from, pathNot: '\\.spec\\.ts$' },
  to: { path: '^(src|migrations)/', pathNot: [from, ...mayImport] },
});

const everywhere = ['^src/errors/'];

module.exports = {
  forbidden: [
    layer('errors-know-nothing', '^src/errors/', [], 'Errors are words; they stand below everything.'),
    layer(
      'storage-knows-bytes',
      '^src/storage/',
      everywhere,
      'A driver stores bytes; it holds no rule and sees no row.',
    ),
    layer(
      'persistence-knows-rows',
      '^src/persistence/',
      everywhere,
      'Rows are below the rules that use them.',
    ),
    layer(
      'engine-holds-the-rules',
      '^src/engine/',
      [...everywhere, '^src/storage/[^/]+\\.ts$', '^src/persistence/', '^src/events/'],
      'The engine sees the driver interface, never a driver, and no protocol.',
    ),
    layer(
      'events-tell',
      '^src/events/',
      [...everywhere, '^src/persistence/'],
      'Events tell what happened; they decide nothing.',
    ),
    layer(
      'doors-call-the-engine',
      '^src/protocols/',
      [
        ...everywhere,
        '^src/engine/',
        '^src/persistence/',
        '^src/access/',
        '^src/upload-type\\.ts$',
        '^src/upload-options\\.ts$',
      ],
      'A front door parses, calls and renders; what it may call is the engine.',
    ),
    layer(
      'cleanup-calls-the-engine',
      '^src/cleanup/',
      [
        ...everywhere,
        '^src/engine/',
        '^src/persistence/',
        '^src/storage/[^/]+\\.ts$',
        '^src/upload-types?\\.ts$',
      ],
      'Cleanup is one more caller of the engine.',
    ),
    layer(
      'admin-calls-the-engine',
      '^src/admin/',
      [
        ...everywhere,
        '^src/engine/',
        '^src/persistence/',
        '^src/cleanup/',
        '^src/protocols/',
        '^src/ui/static-files\\.ts$',
        '^src/uploads\\.service\\.ts$',
        '^src/upload-types?\\.ts$',
      ],
      'The admin API is one more caller of engine and cleanup, and no door imports it.',
    ),
    layer('client-stands-alone', '^src/client/', [], 'It runs in browsers and programs that have no server.'),
    {
      name: 'pages-are-clients',
      comment: 'What runs in browsers is served as it is: but for types, it must not pull the server in.',
      severity: 'error',
      from: { path: '^src/ui/(page|board)/' },
      to: {
        path: '^src/',
        pathNot: ['^src/ui/(page|board)/', '^src/client/'],
        dependencyTypesNot: ['type-only'],
      },
    },
    layer(
      'ui-serves-files',
      '^src/ui/[^/]+\\.ts$',
      [...everywhere, '^src/protocols/'],
      'The server of a page knows files and HTTP, and nothing of uploads.',
    ),
    {
      name: 'engine-is-free-of-frameworks',
      comment: 'The rules must run under any HTTP framework and any ORM, and be testable without both.',
      severity: 'error',
      from: { path: '^src/(engine|storage|errors)/', pathNot: '\\.spec\\.ts$' },
      to: { path: 'node_modules/(@nestjs|express|fastify|typeorm|pg)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'library-is-free-of-the-server',
      comment: 'The reference server is an app on the library, not a part of it.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/server/', '^src/cli/main\\.ts$'] },
      to: { path: '^src/server/' },
    },
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'A cycle has no layers.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'Dead code.',
      from: { orphan: true, pathNot: ['\\.d\\.ts$'] },
      to: {},
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
};
