import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';

describe('docs/jquery-file-upload.md', () => {
  it.each(['index.html', 'rest.js', 'form-post.js', 'uploader.js'])(
    'shows %s as it is tested',
    async (name) => {
      const page = await readFile(`test/browser/pages/${name}`, 'utf8');
      expect(await readFile('docs/jquery-file-upload.md', 'utf8')).toContain(page);
    },
  );
});
