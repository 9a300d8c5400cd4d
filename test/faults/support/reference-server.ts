import { Program } from './program.js';

/** What one reference server is started with. */
export interface ReferenceOptions {
  readonly databaseUrl: string;
  /** `DATA_DIR`; servers that share it are instances of one service. */
  readonly folder: string;
  /** Further settings, by name; PORT and HOST are set already. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** The reference server, from its sources, as a process: exactly what `npm start` runs. */
export class ReferenceServer {
  private constructor(
    readonly program: Program,
    readonly origin: string,
  ) {}

  /** Waits until it listens, on a free port of 127.0.0.1. */
  static async start({ databaseUrl, folder, variables }: ReferenceOptions): Promise<ReferenceServer> {
    const program = new Program('src/server/main.ts', {
      PORT: '0',
      HOST: '127.0.0.1',
      DATABASE_URL: databaseUrl,
      DATA_DIR: folder,
      ...variables,
    });
    try {
      const [origin = ''] = /http:\S+/.exec(await program.until(/Listening on \S+[^]*Ctrl-C stops/)) ?? [];
      return new ReferenceServer(program, origin);
    } catch (error) {
      await end(program);
      throw error;
    }
  }

  get pid(): number {
    return this.program.pid;
  }

  get hasEnded(): boolean {
    return this.program.ended !== null;
  }

  /** SIGKILL, and waits until the process is gone. */
  async kill(): Promise<void> {
    await end(this.program);
  }
}

async function end(program: Program): Promise<void> {
  program.signal('SIGKILL');
  await program.end();
}
