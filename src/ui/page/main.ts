import { Announcer } from './announcer.js';
import { requireElement } from './dom.js';
import { takeFiles } from './drop-zone.js';
import { RowList } from './row-list.js';
import { UploadRoute } from './upload-route.js';
import { UploadsPage } from './uploads-page.js';

const home = requireElement('files', HTMLInputElement);
const page = new UploadsPage({
  route: new UploadRoute(document.body.dataset.endpoint ?? 'upload'),
  current: new RowList(requireElement('current', HTMLElement)),
  unfinished: new RowList(requireElement('unfinished', HTMLElement)),
  finished: new RowList(requireElement('finished', HTMLElement)),
  announcer: new Announcer(requireElement('news', HTMLElement)),
  home,
});

const refresh = (): void => {
  if (document.visibilityState !== 'visible') return;
  void page.showUnfinished();
  void page.showFinished();
};

takeFiles(requireElement('drop', HTMLElement), home, (files) => page.add(files));
// Another tab may have finished what is unfinished here.
document.addEventListener('visibilitychange', refresh);
window.addEventListener('online', refresh);
requireElement('starting', HTMLElement).remove();
refresh();
