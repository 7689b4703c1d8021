import { useQuery } from '@tanstack/react-query';
import { usePermits } from '@/api/session';
import { PermitButton, Time } from '@/ui/basics';
import classes from './Duplicates.module.css';
import { Block } from './LeadParts';
import { mergesQuery, useSplit } from './merging';

/** Which leads went into this one, each with a way back; nothing, where none did. */
export function Merges({ leadId }: { leadId: string }) {
  const why = usePermits().why('leads:manage');
  const merges = useQuery(mergesQuery(leadId)).data ?? [];
  const split = useSplit();
  if (merges.length === 0) return null;
  return (
    <Block title="Merged into this lead">
      {merges.map(({ id, loserName, mergedBy, mergedAt }) => (
        <p key={id}>
          {loserName}{' '}
          <span className={classes.dim}>
            by {mergedBy} <Time at={mergedAt} />
          </span>{' '}
          <PermitButton
            variant="default"
            size="compact-xs"
            why={why}
            loading={split.isPending}
            onClick={() => split.mutate(id)}
          >
            Split
          </PermitButton>
        </p>
      ))}
    </Block>
  );
}
