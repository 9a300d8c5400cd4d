/* global window */
// REST: an upload is known by its url, which takes chunks, completion and cancelling.
window.door = {
  nameOf: (answer) => answer.url,
  next: (name) => ({ url: name }),
  detail: (name) => ({ url: name }),
  complete: (name, md5) => ({ type: 'POST', url: name, data: { md5 } }),
  cancel: (name) => ({ type: 'DELETE', url: name }),
};
