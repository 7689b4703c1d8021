import type { ReactNode } from 'react';
import type { Card, FilterField, Stage } from '@/api/shapes';
import { Avatar, State, Tag, Time } from '@/ui/basics';
import { ResponseState } from '@/ui/ResponseState';
import { Score } from '@/ui/Score';
import { CUSTOM, valueText } from './cardFields';
import type { SortKey } from './filters';
import classes from './Table.module.css';

/** The columns of the table beside the name. */

export interface Column {
  key: string;
  label: string;
  sort?: SortKey;
  render: (card: Card, stage: Stage | undefined) => ReactNode;
}

const COLUMNS: Column[] = [
  {
    key: 'stage',
    label: 'Stage',
    sort: 'stage',
    render: (_card, stage) => stage && <State color={stage.color}>{stage.name}</State>,
  },
  { key: 'score', label: 'Score', sort: 'score', render: ({ score }) => <Score score={score} /> },
  { key: 'company', label: 'Company', sort: 'company', render: ({ company }) => company },
  { key: 'title', label: 'Title', sort: 'title', render: ({ title }) => title },
  { key: 'email', label: 'E-mail', sort: 'email', render: ({ email }) => email },
  { key: 'phone', label: 'Phone', sort: 'phone', render: ({ phone, phoneDisplay }) => phoneDisplay ?? phone },
  { key: 'source', label: 'Source', sort: 'source', render: ({ sourceName }) => sourceName },
  {
    key: 'tags',
    label: 'Tags',
    render: ({ tags }) => (
      <span className={classes.tags}>
        {tags.slice(0, 2).map((tag) => (
          <Tag key={tag}>{tag}</Tag>
        ))}
        {tags.length > 2 && <span title={tags.join(', ')}>+{tags.length - 2}</span>}
      </span>
    ),
  },
  {
    key: 'assigned',
    label: 'Assigned',
    sort: 'assignedTo',
    render: ({ assignedToName }) =>
      assignedToName && (
        <span className={classes.tags}>
          <Avatar name={assignedToName} /> {assignedToName}
        </span>
      ),
  },
  {
    key: 'response',
    label: 'First answer',
    render: ({ response }) => response && <ResponseState response={response} />,
  },
  {
    key: 'submissions',
    label: 'Submissions',
    sort: 'submissionCount',
    render: ({ submissionCount }) => submissionCount,
  },
  {
    key: 'lastSubmission',
    label: 'Last submission',
    sort: 'lastSubmissionAt',
    render: ({ lastSubmissionAt }) => <Time at={lastSubmissionAt} />,
  },
  { key: 'updated', label: 'Updated', sort: 'updatedAt', render: ({ updatedAt }) => <Time at={updatedAt} /> },
  { key: 'created', label: 'Created', sort: 'createdAt', render: ({ createdAt }) => <Time at={createdAt} /> },
];

/** Shown where nothing was chosen. */
export const USUAL = ['stage', 'score', 'company', 'email', 'source', 'tags', 'assigned', 'created'];

/** All columns there are, those of custom fields last. */
export function allColumns(fields: FilterField[]): Column[] {
  const custom = fields
    .filter(({ name }) => name.startsWith(CUSTOM))
    .map(({ name, label }): Column => {
      const key = name.slice(CUSTOM.length);
      return {
        key: name,
        label,
        sort: `custom.${key}`,
        render: ({ customFields }) => <span className={classes.value}>{valueText(customFields[key])}</span>,
      };
    });
  return [...COLUMNS, ...custom];
}

/** Text starts at A, the rest with the highest. */
export const sortsUpwards = (key: SortKey): boolean =>
  ['name', 'email', 'phone', 'company', 'title', 'source', 'stage', 'assignedTo'].includes(key);
