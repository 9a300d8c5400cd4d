/* global window */
// Form-post: one url, and upload_id in the form. How far an upload came is asked at the REST route.
window.door = {
  nameOf: (answer) => answer.upload_id,
  next: (name) => ({ formData: { upload_id: name } }),
  detail: (name) => ({ url: `${window.settings.restUrl}/${name}` }),
  complete: (name, md5) => ({
    type: 'POST',
    url: `${window.settings.url}_complete`,
    data: { upload_id: name, md5 },
  }),
  cancel: (name) => ({ type: 'DELETE', url: `${window.settings.url}?upload_id=${name}` }),
};
