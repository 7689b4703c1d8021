import type { Response } from '@/api/shapes';
import { responseState } from '@/lib/response';
import { absoluteTime } from '@/lib/time';
import { State } from './basics';

const COLORS = { waiting: 'gray', soon: 'yellow', overdue: 'red', answered: 'green' } as const;

/** Until when somebody is to act on a lead first, or how soon somebody did. */
export function ResponseState({ response }: { response: Response }) {
  const { tone, words } = responseState(response);
  const by = response.answeredByName ? `, by ${response.answeredByName}` : '';
  const title = response.answeredAt
    ? `${absoluteTime(response.answeredAt)}${by}`
    : `The first answer is due ${absoluteTime(response.dueAt)}`;
  return (
    <span title={title} data-response={tone}>
      <State color={COLORS[tone]}>{words}</State>
    </span>
  );
}
