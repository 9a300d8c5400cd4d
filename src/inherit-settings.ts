import type { UploadSettings } from './upload-options.js';

/** What each upload type says for itself: code and rights of one type must not reach another's uploads. */
const OWN: ReadonlySet<string> = new Set<keyof UploadSettings>([
  'owners',
  'beforeCreate',
  'beforeChunk',
  'inspectChunk',
  'beforeComplete',
  'onComplete',
  'render',
]);

/** The settings of a type of `forFeature`: its own, and where it says nothing those of `forRoot`. */
export function inheritSettings(root: UploadSettings, own: UploadSettings): UploadSettings {
  const given = Object.entries(own).filter(([, value]) => value !== undefined);
  const inherited = Object.entries(root).filter(([name]) => !OWN.has(name));
  return Object.fromEntries([...inherited, ...given]);
}
