import { statSync } from 'node:fs';
import { types } from 'node:util';
import { InvalidOptionError } from '../option-values.js';
import { BootError } from './boot-error.js';

type SystemError = NodeJS.ErrnoException & { readonly port?: number; readonly address?: string };

/**
 * Says in a few plain lines what kept the server from starting and what to type next; null when the failure is none
 * a user can do anything about, and its stack is worth more.
 */
export function describeBootFailure(error: unknown): readonly string[] | null {
  for (let current = error; types.isNativeError(current); current = current.cause) {
    const lines = describe(current);
    if (lines) return lines;
  }
  return null;
}

function describe(error: Error): readonly string[] | null {
  if (error instanceof BootError) return [error.message, ...error.advice];
  if (error instanceof InvalidOptionError) {
    return [`A setting cannot be used: ${error.message}`, 'All settings:  npm start -- --help'];
  }
  const system: SystemError = error;
  if (system.syscall === 'listen' || system.syscall === 'getaddrinfo') return describeListening(system);
  return system.path === undefined ? describeDisk(system) : (describeDisk(system) ?? describeFile(system));
}

function describeListening({ code, port, address }: SystemError): readonly string[] | null {
  const other = 'PORT=3001 npm start';
  switch (code) {
    case 'EADDRINUSE':
      return [
        `Port ${port} is taken: another program listens on it, maybe this one, started before.`,
        `Stop that, or take another port:  ${other}`,
      ];
    case 'EACCES':
      return [
        `Port ${port} is reserved for the system: a normal user may not listen below 1024.`,
        `Take another port:  ${other}`,
      ];
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EINVAL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return [
        `HOST names no address of this machine${address === undefined ? '' : `: ${address}`}.`,
        'For all of its addresses leave HOST out; for this machine only:  HOST=127.0.0.1 npm start',
      ];
    default:
      return null;
  }
}

function describeDisk({ code, path }: SystemError): readonly string[] | null {
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return null;
  return [
    `The disk is full${path === undefined ? '' : `: no room for ${path}`}.`,
    'Free some space, or keep the data elsewhere:  DATA_DIR=/other/disk npm start',
  ];
}

function describeFile({ code, syscall, path = '' }: SystemError): readonly string[] | null {
  const elsewhere = 'Keep the data elsewhere:  DATA_DIR=./my-data npm start';
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return [
        `${path} cannot be written by this user (uid ${process.getuid?.() ?? 'unknown'})${ownerOf(path)}.`,
        elsewhere,
        'Or, if an earlier start as root made it, hand it over:  sudo chown -R "$(id -u):$(id -g)" <folder>',
      ];
    case 'EROFS':
      return [`${path} is on a disk that cannot be written.`, elsewhere];
    case 'ENOENT':
      return syscall === 'mkdir'
        ? [`${path} cannot be made: the system allows no folder there.`, elsewhere]
        : null;
    case 'ENOTDIR':
    case 'EEXIST':
      return [`${path} cannot be a folder: there is a file of that name on the way.`, elsewhere];
    default:
      return null;
  }
}

function ownerOf(path: string): string {
  try {
    return `; it belongs to uid ${statSync(path).uid}`;
  } catch {
    return '';
  }
}
