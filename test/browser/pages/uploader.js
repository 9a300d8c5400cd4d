/* global $, localStorage, setTimeout, window */
const { door, settings, md5Of } = window;

// The browser remembers unfinished uploads, to go on when the page is opened again.
const keyOf = (file) => `upload ${file.name} ${file.size} ${file.lastModified}`;
const nameOf = (file) => localStorage.getItem(keyOf(file));

const ask = (request) => $.ajax({ headers: settings.headers, xhrFields: settings.xhrFields, ...request });
const show = (data, state) => data.context.attr('class', state).find('output').text(state);

// Goes on where the server stands, from the beginning if it does not know the upload any more.
async function start(data) {
  const [file] = data.files;
  show(data, 'uploading');
  try {
    data.uploadedBytes = nameOf(file) ? (await ask(door.detail(nameOf(file)))).offset : 0;
  } catch (error) {
    if (![404, 410].includes(error.status)) return retry(data, error);
    localStorage.removeItem(keyOf(file));
    data.uploadedBytes = 0;
  }
  if (data.uploadedBytes > 0 && data.uploadedBytes === file.size) return complete(data);
  data.submit();
}

// What may go better the next time is tried again; anything else is told.
function retry(data, { status, responseJSON }) {
  const isPassing = [0, 408, 423, 429].includes(status) || status >= 500;
  const isBehind = responseJSON?.code === 'offset_mismatch';
  data.failures = (data.failures ?? 0) + 1;
  if ((isPassing || isBehind) && data.failures <= 5) setTimeout(() => start(data), data.failures * 200);
  else show(data, 'failed').attr('title', responseJSON?.detail ?? `Status ${status}`);
}

async function complete(data) {
  const [file] = data.files;
  try {
    await ask(door.complete(nameOf(file), await md5Of(file)));
    localStorage.removeItem(keyOf(file));
    show(data, 'complete');
  } catch (error) {
    retry(data, error);
  }
}

async function cancel(data) {
  const name = nameOf(data.files[0]);
  data.abort();
  if (name) await ask(door.cancel(name));
  localStorage.removeItem(keyOf(data.files[0]));
  show(data, 'cancelled');
}

function row(data) {
  const button = (name, action) => $('<button>', { class: name, text: name, click: () => action(data) });
  return $('<li>').append(
    $('<span>').text(data.files[0].name),
    $('<progress>', { max: data.files[0].size, value: 0 }),
    $('<output>'),
    button('pause', () => data.abort()),
    button('resume', start),
    button('cancel', cancel),
  );
}

// After each chunk: where the next ones go, and where to go on after a pause.
function remember(event, data) {
  localStorage.setItem(keyOf(data.files[0]), door.nameOf(data.result));
  data.failures = 0;
}

$('#files').fileupload({
  ...settings,
  add(event, data) {
    const { size } = data.files[0];
    // jQuery-File-Upload sends no range with a file of one chunk.
    const range = size > 0 ? `bytes 0-${size - 1}/${size}` : 'bytes */0';
    data.headers = { ...settings.headers, 'Content-Range': range };
    data.context = row(data).appendTo('#uploads');
    start(data);
  },
  chunkbeforesend(event, data) {
    const name = nameOf(data.files[0]);
    if (name) Object.assign(data, door.next(name));
  },
  chunkdone: remember,
  done(event, data) {
    remember(event, data);
    complete(data);
  },
  fail(event, data) {
    if (data.errorThrown === 'abort') show(data, 'paused');
    else retry(data, data.jqXHR);
  },
  progress: (event, data) => data.context.find('progress').val(data.loaded),
});
