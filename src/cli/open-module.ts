import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { UsageError } from './exit-code.js';

type RootModule = Type<object> | DynamicModule;

/**
 * Boots the module that `file.js#Export` names (`AppModule` without a name), without listening: a class, a dynamic module,
 * a promise of either, or a function that returns one of them.
 * @throws UsageError for a file or an export that is not there.
 */
export async function openModule(specifier: string | undefined): Promise<INestApplicationContext> {
  if (!specifier) {
    throw new UsageError('Say which app: chunked-upload --module ./dist/app.module.js#AppModule <command>');
  }
  const [path = '', name = 'AppModule'] = specifier.split('#');
  const exported = (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>;
  const module = await moduleOf(exported[name]);
  if (!module) {
    throw new UsageError(`${path} exports no module ${name}; write --module ${path}#YourModule.`);
  }
  return NestFactory.createApplicationContext(module, { logger: ['warn', 'error'], abortOnError: false });
}

async function moduleOf(exported: unknown): Promise<RootModule | null> {
  const value = await exported;
  if (typeof value === 'function') {
    return isClass(value) ? (value as Type<object>) : moduleOf((value as () => unknown)());
  }
  const isDynamic = typeof value === 'object' && value !== null && 'module' in value;
  return isDynamic ? (value as DynamicModule) : null;
}

/** A class that was compiled to a function has what its decorators left. */
function isClass(value: object): boolean {
  return (
    /^class\b/.test(Function.prototype.toString.call(value)) || Reflect.getMetadataKeys(value).length > 0
  );
}
