import type { CrmLink } from '@/api/shapes';
import { SafeLink, Time } from '@/ui/basics';
import { CopyButton } from '@/ui/Copy';
import classes from './Lead.module.css';
import { Block } from './LeadParts';

/** Where the lead stands in the systems that it was sent to, as those told us. */
export function CrmLinks({ links }: { links: CrmLink[] }) {
  if (links.length === 0) return null;
  return (
    <Block title="In your CRM">
      <ul className={classes.crmLinks}>
        {links.map((link) => (
          <CrmLinkEntry key={link.destinationId} link={link} />
        ))}
      </ul>
    </Block>
  );
}

function CrmLinkEntry({ link }: { link: CrmLink }) {
  const { destinationName, crmLeadId, crmLeadUrl, executionUrl, updatedAt } = link;
  return (
    <li>
      <div className={classes.crmLinkHead}>
        <strong>{destinationName}</strong>
        <span className={classes.small}>
          <Time at={updatedAt} />
        </span>
      </div>
      {crmLeadId && (
        <div className={classes.crmLinkId}>
          <span>{crmLeadId}</span>
          <CopyButton value={crmLeadId} label={`Copy the id in ${destinationName}`} />
        </div>
      )}
      {(crmLeadUrl || executionUrl) && (
        <div className={classes.crmLinkId}>
          {crmLeadUrl && <SafeLink url={crmLeadUrl}>Open the lead there</SafeLink>}
          {executionUrl && <SafeLink url={executionUrl}>See the run</SafeLink>}
        </div>
      )}
    </li>
  );
}
