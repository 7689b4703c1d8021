import { IconPlus } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { usePermits } from '@/api/session';
import type { Lead } from '@/api/shapes';
import { onAddLead } from '@/lib/commands';
import { PermitButton } from '@/ui/basics';
import { FromFirstUse, later } from '@/ui/onDemand';

const AddLead = later(() => import('./AddLead'));

export function AddLeadButton({ pipelineId, onAdded }: { pipelineId?: string; onAdded: (lead: Lead) => void }) {
  const [opened, setOpened] = useState(false);
  const why = usePermits().why('leads:manage');
  useEffect(() => (why ? undefined : onAddLead(() => setOpened(true))), [why]);
  return (
    <>
      <PermitButton why={why} leftSection={<IconPlus size={14} />} onClick={() => setOpened(true)}>
        Add lead
      </PermitButton>
      <FromFirstUse isOpen={opened}>
        {(isOpen) => (
          <AddLead pipelineId={pipelineId} opened={isOpen} onClose={() => setOpened(false)} onAdded={onAdded} />
        )}
      </FromFirstUse>
    </>
  );
}
