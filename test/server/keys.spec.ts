import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { originOf, SourceProcess, startServer, temporaryFolder } from './server-process.js';

// Processes and databases start here, on machines that have other things to do.
jest.setTimeout(120_000);

describe("the reference server's command line", () => {
  let folder: string;
  let dispose: () => Promise<void>;
  const servers: SourceProcess[] = [];

  beforeAll(async () => ({ folder, dispose } = await temporaryFolder()));

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.kill('SIGTERM');
  });

  afterAll(() => dispose());

  const run = async (variables: NodeJS.ProcessEnv, ...args: string[]) => {
    const cli = SourceProcess.run('src/server/cli.ts', args, { DATA_DIR: folder, ...variables });
    return { code: await cli.exited, output: cli.output };
  };

  it('makes the key that the server beside it lets in', async () => {
    const variables = { DATA_DIR: folder, CHUNKED_UPLOAD_AUTH: 'api-key' };
    const server = startServer(variables);
    servers.push(server);
    const origin = await originOf(server);
    const made = await run(variables, 'keys', 'create', '--user', 'ann');
    const [key = ''] = /cu_\S{80}/.exec(made.output) ?? [];
    expect(made.code).toBe(0);
    const headers = { Authorization: `ApiKey ann:${key}`, 'Content-Range': 'bytes 0-2/6' };
    const answer = await fetch(`${origin}/upload`, { method: 'PUT', body: 'abc', headers });
    expect(answer.status).toBe(200);
  });

  it('says how to have keys where there are none, without a stack', async () => {
    const { code, output } = await run({}, 'keys', 'list');
    expect(code).toBe(1);
    expect(output).toMatch(/CHUNKED_UPLOAD_AUTH=api-key/);
    expect(output).not.toMatch(/\.ts:\d/);
  });
});
