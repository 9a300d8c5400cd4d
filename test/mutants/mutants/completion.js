const COMPLETIONS = 'src/persistence/completion.repository.ts';
const COMPLETER = 'src/engine/upload-completer.ts';
const COMPLETION_SPEC = 'test/engine/completion.spec.ts';

/** From the last byte to `complete`. */
export const completionMutants = [
  {
    name: 'renamed before the digest is compared',
    breaks: '7 completion is all or nothing',
    file: COMPLETER,
    find: 'const computed = await this.admit(upload, caller, checksums);',
    replace:
      'await this.context.driver.finish(storedUpload(upload), upload.offset);\n' +
      'const computed = await this.admit(upload, caller, checksums);',
    killedBy: { suite: 'test/mutants/order.spec.ts', test: 'the checksum is compared, then' },
  },
  {
    name: 'the checksum is not compared',
    breaks: '7 completion is all or nothing',
    file: COMPLETER,
    find: 'compareChecksums(given, computed);',
    replace: '',
    killedBy: { suite: COMPLETION_SPEC, test: 'refuses what is incomplete and what has another checksum' },
  },
  {
    name: 'complete without its last bytes',
    breaks: '7 completion is all or nothing',
    file: COMPLETIONS,
    find: 'AND (size IS NULL OR "offset" = size)',
    replace: '',
    killedBy: { suite: COMPLETION_SPEC, test: 'refuses what is incomplete and what has another checksum' },
  },
  {
    name: 'bytes are served before they are complete',
    breaks: '7 completion is all or nothing',
    file: 'src/engine/upload-engine.ts',
    find: `if (upload.status === 'complete') return`,
    replace: `if (upload.status !== 'failed') return`,
    killedBy: {
      suite: 'test/protocols/rest-content.e2e.spec.ts',
      test: 'has no content before the upload is complete',
    },
  },
  {
    name: 'onComplete outside the transaction',
    breaks: '8 one completion',
    file: COMPLETIONS,
    find: 'const result = await effect(completed, manager)',
    replace: 'const result = await effect(completed, this.table.dataSource.manager)',
    killedBy: { suite: COMPLETION_SPEC, test: 'a hook that fails leaves nothing of itself' },
  },
  {
    name: 'no token in the completing statement',
    breaks: '8 one completion',
    file: COMPLETIONS,
    find: `AND lease_token = $2 AND status = 'completing' RETURNING \${`,
    replace: `AND $2::uuid IS NOT NULL AND status = 'completing' RETURNING \${`,
    killedBy: { suite: COMPLETION_SPEC, test: 'a completion that slept beyond its lease' },
  },
  {
    name: 'a completion cannot be repeated',
    breaks: '9 repeatable',
    file: COMPLETER,
    find: `if (upload.status === 'complete') return repeat(upload, checksums);`,
    replace: '',
    killedBy: { suite: COMPLETION_SPEC, test: 'repeated, gives the same answer' },
  },
];
