import { element, fileButton } from './dom.js';
import { formatBytes, formatMoment } from './format.js';
import { inLine } from './state-words.js';
import type { ServerUpload } from './upload-route.js';

const COPIED_MS = 2_000;

/** Checksums people compare, best known first. */
const NAMES: Readonly<Record<string, string>> = {
  md5: 'MD5',
  sha256: 'SHA-256',
  sha1: 'SHA-1',
  sha512: 'SHA-512',
};

/** A file that is on the server: its download, and its checksum. */
export function finishedRow(upload: ServerUpload, contentUrl: string): HTMLLIElement {
  const { filename = upload.id, size, offset, checksums = {}, completed_at: completedAt } = upload;
  const facts = [formatBytes(size ?? offset ?? 0)];
  if (completedAt) facts.push(formatMoment(new Date(completedAt)));
  const title = element('h3', { children: [filename] });
  const status = element('p', { props: { className: 'status' }, children: [inLine(facts)] });
  const about = element('div', { props: { className: 'about' }, children: [title, status] });
  const download = element('a', {
    props: { className: 'button', href: contentUrl, download: filename },
    attributes: { 'aria-label': `Download ${filename}` },
    children: ['Download'],
  });
  const buttons = element('div', { props: { className: 'buttons' }, children: [download] });
  const row = element('li', { props: { className: 'row' }, children: [about, buttons] });
  row.dataset.state = 'complete';
  const [first] = Object.keys(NAMES).filter((name) => name in checksums);
  const algorithm = first ?? Object.keys(checksums)[0];
  if (algorithm !== undefined) row.append(checksumLine(algorithm, checksums[algorithm] ?? '', filename));
  return row;
}

function checksumLine(algorithm: string, hex: string, filename: string): HTMLElement {
  const name = NAMES[algorithm] ?? algorithm;
  const code = element('code', { children: [hex] });
  const line = element('p', { props: { className: 'checksum' }, children: [`${name} `, code] });
  // Browsers have a clipboard only for pages that came by HTTPS or from this machine.
  if (navigator.clipboard as Clipboard | undefined) line.append(copyButton(name, hex, filename));
  return line;
}

function copyButton(name: string, hex: string, filename: string): HTMLButtonElement {
  const button = fileButton('Copy', `the ${name} of ${filename}`, () => {
    void navigator.clipboard.writeText(hex).then(() => {
      button.textContent = 'Copied';
      setTimeout(() => (button.textContent = 'Copy'), COPIED_MS);
    });
  });
  return button;
}
