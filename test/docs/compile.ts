import { resolve } from 'node:path';
import ts from 'typescript';

/** A code block of a document, and the comment in front of it. */
export interface Block {
  readonly mark: string;
  readonly language: string;
  readonly code: string;
}

export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/(?:<!-- (.+) -->\n+)?```(\w+)\n([\s\S]*?)```/g)].map(
    ([, mark = '', language = '', code = '']) => ({ mark, language, code }),
  );
}

/** What the compiler says of TypeScript that imports the package, each text a module of its own. */
export function compile(sources: readonly string[]): string[] {
  const options = ts.parseJsonConfigFileContent(
    ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)).config,
    ts.sys,
    process.cwd(),
  ).options;
  const files = new Map(sources.map((code, i) => [resolve(`example-${i}.ts`), code]));
  const compilerOptions = {
    ...options,
    noEmit: true,
    incremental: false,
    paths: {
      'nestjs-chunked-upload': [resolve('src/index.ts')],
      'nestjs-chunked-upload/client': [resolve('src/client/node.ts')],
    },
  };
  const host = ts.createCompilerHost(compilerOptions);
  const readFile = host.readFile.bind(host);
  const fileExists = host.fileExists.bind(host);
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.fileExists = (path) => files.has(path) || fileExists(path);
  const program = ts.createProgram([...files.keys()], compilerOptions, {
    ...host,
    getSourceFile: (path, language) => {
      const text = host.readFile(path);
      return text === undefined ? undefined : ts.createSourceFile(path, text, language);
    },
  });
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
