/** The list with one of its rows in another place. */
export function moved<T>(list: T[], from: number, to: number): T[] {
  const item = list[from];
  if (item === undefined || to < 0 || to >= list.length || from === to) return list;
  const rest = list.filter((_, index) => index !== from);
  return [...rest.slice(0, to), item, ...rest.slice(to)];
}

/** The place of a dropped row once it is taken out from above. */
export const dropPlace = (from: number, over: number, edge: 'top' | 'bottom'): number => {
  const gap = edge === 'bottom' ? over + 1 : over;
  return from < gap ? gap - 1 : gap;
};
