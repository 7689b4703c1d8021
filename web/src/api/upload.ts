import { csrfHeaders, type Query, withQuery, write } from './client';
import { problemFrom, unreachable } from './problem';

/** Sends a file as it is. `fetch` would not tell how much of it has gone. */
export const upload = <T>(path: string, query: Query, file: File, onSent: (part: number) => void): Promise<T> =>
  write(() => send(path, query, file, onSent));

function send<T>(path: string, query: Query, file: File, onSent: (part: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', withQuery(path, query));
    for (const [name, value] of Object.entries(csrfHeaders())) request.setRequestHeader(name, value);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.setRequestHeader('Accept', 'application/json');
    request.upload.onprogress = ({ loaded, total }) => onSent(total === 0 ? 1 : loaded / total);
    request.onload = () => {
      const answer = parse(request.responseText);
      if (request.status >= 200 && request.status < 300) resolve(answer as T);
      else reject(problemFrom(request.status, answer));
    };
    request.onerror = () => reject(unreachable());
    request.send(file);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
