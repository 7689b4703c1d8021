import { useSyncExternalStore } from 'react';

/** Whether the live stream is connected; lists poll while it is not. */
const POLL_MS = 30_000;
let connected = false;
const listeners = new Set<() => void>();

export function setLiveConnected(value: boolean) {
  if (connected === value) return;
  connected = value;
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useLiveConnected = () => useSyncExternalStore(subscribe, () => connected);

/** For `refetchInterval`: nothing while live, every 30 s otherwise. */
export function usePollInterval(): number | false {
  return useLiveConnected() ? false : POLL_MS;
}
