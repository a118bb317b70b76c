package subnet

import (
	"context"
	"strings"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/op"
	"intercom/planes/subnet/machine"
)

type addressIn struct {
	Address keyText `json:"address" jsonschema:"key of the peer, 64 hex digits, its address, or self for this one"`
}

type keyIn struct {
	Key keyText `json:"key" jsonschema:"writer key of the peer, 64 hex digits, its address, or self for this one"`
}

type enabledIn struct {
	Enabled op.Flag `json:"enabled" jsonschema:"true or 1 turns it on, false or 0 off"`
}

func (p *Plane) opAddAdmin() *op.Op {
	return op.New(op.Spec[addressIn, written]{
		Name: "add_admin", Owner: owner, Summary: "Name the subnet's first admin, once",
		Notes:  "Only the peer that made the subnet can. The admin succeeds itself with update_admin.",
		Access: op.Admin, Args: []string{"address"}, Example: `{"address":"` + exampleKey + `"}`,
		Run: func(ctx context.Context, in addressIn) (written, error) {
			key, err := p.key(in.Address, "address")
			if err != nil {
				return written{}, err
			}
			m, s, err := p.view(ctx)
			switch {
			case err != nil:
				return written{}, err
			case m.bootstrap != m.self:
				return written{}, fault.New(fault.Denied, "Only the subnet bootstrap node may set the initial admin.").WithHint("that is %s", m.bootstrap)
			case !s.Admin.IsZero():
				return written{}, fault.New(fault.Conflict, "Admin is already set.").WithHint("the admin is %s; it names another with update_admin", s.Admin)
			}
			return m.write(ctx, &machine.AddAdmin{Key: key}, "Admin added: "+key.String())
		},
		Text: written.text,
	})
}

func (p *Plane) opUpdateAdmin() *op.Op {
	return op.New(op.Spec[addressIn, written]{
		Name: "update_admin", Owner: owner, Summary: "Hand the admin's role on, in two steps",
		Notes: "The admin names the next one; that one calls update_admin with its own key and becomes it. Until then nothing changes, and naming oneself takes it back. " +
			"A subnet is never left without an admin.",
		Access: op.Admin, Args: []string{"address"}, Example: `{"address":"` + exampleKey + `"}`,
		Run: p.updateAdmin, Text: written.text,
	})
}

func (p *Plane) updateAdmin(ctx context.Context, in addressIn) (written, error) {
	if strings.TrimSpace(string(in.Address)) == "null" {
		return written{}, fault.New(fault.Denied, "a subnet cannot be left without an admin").WithHint("name the next admin by its key")
	}
	key, err := p.key(in.Address, "address")
	if err != nil {
		return written{}, err
	}
	m, s, err := p.view(ctx)
	if err != nil {
		return written{}, err
	}
	if s.Next == m.self && key == m.self && s.Admin != m.self {
		return m.write(ctx, &machine.AcceptAdmin{}, "Changed admin "+s.Admin.String()+" to "+key.String())
	}
	if m, err = p.admin(ctx); err != nil {
		return written{}, err
	}
	return m.write(ctx, &machine.UpdateAdmin{Key: key}, "Named "+key.String()+" to succeed "+m.self.String()+"; it accepts with update_admin")
}

// byAdmin declares an operation by which the admin says something about a key.
func (p *Plane) byAdmin(name, summary, notes, done string, destructive bool, body func(context.Context, *member, identity.PublicKey) (machine.Body, error)) *op.Op {
	return op.New(op.Spec[keyIn, written]{
		Name: name, Owner: owner, Summary: summary, Notes: notes,
		Access: op.Admin, Effects: op.Effects{Destructive: destructive}, Args: []string{"key"}, Example: `{"key":"` + exampleKey + `"}`,
		Run: func(ctx context.Context, in keyIn) (written, error) {
			key, err := p.key(in.Key, "key")
			if err != nil {
				return written{}, err
			}
			m, err := p.admin(ctx)
			if err != nil {
				return written{}, err
			}
			b, err := body(ctx, m, key)
			if err != nil {
				return written{}, err
			}
			return m.write(ctx, b, done+key.String())
		},
		Text: written.text,
	})
}

func (p *Plane) opAddIndexer() *op.Op {
	return p.byAdmin("add_indexer", "Have another peer confirm entries too",
		"The peer must be connected, in step, and started with --subnet-indexer 1. More than two thirds of the indexers have to be there for anything to be confirmed: to survive the loss of one, take four.",
		"Indexer added: ", false,
		func(ctx context.Context, m *member, key identity.PublicKey) (machine.Body, error) {
			c, err := m.askConsent(ctx, key)
			return &machine.AddIndexer{Consent: c}, err
		})
}

func (p *Plane) opAddWriter() *op.Op {
	return p.byAdmin("add_writer", "Let a peer write", "It lifts the ban of one that was removed.", "Writer added: ", false,
		func(_ context.Context, _ *member, key identity.PublicKey) (machine.Body, error) {
			return &machine.AddWriter{Key: key}, nil
		})
}

func (p *Plane) opRemoveWriter() *op.Op {
	return p.byAdmin("remove_writer", "Take a peer's right to write, and keep it from coming back by itself",
		"What it wrote stays. An indexer is removed with remove_indexer first.", "Writer removed: ", true,
		func(_ context.Context, _ *member, key identity.PublicKey) (machine.Body, error) {
			return &machine.RemoveWriter{Key: key}, nil
		})
}

func (p *Plane) opRemoveIndexer() *op.Op {
	return p.byAdmin("remove_indexer", "Take an indexer's vote; it stays a writer", "The last one cannot be removed.", "Indexer removed: ", true,
		func(_ context.Context, _ *member, key identity.PublicKey) (machine.Body, error) {
			return &machine.RemoveIndexer{Author: key}, nil
		})
}

// toggle declares an operation by which the admin turns something on or off.
func (p *Plane) toggle(owner, name, summary, notes string, body func(on bool) machine.Body, done func(on bool) string) *op.Op {
	return op.New(op.Spec[enabledIn, written]{
		Name: name, Owner: owner, Summary: summary, Notes: notes, Access: op.Admin, Effects: op.Effects{Idempotent: true},
		Args: []string{"enabled"}, Example: `{"enabled":true}`,
		Run: func(ctx context.Context, in enabledIn) (written, error) {
			m, err := p.admin(ctx)
			if err != nil {
				return written{}, err
			}
			return m.write(ctx, body(bool(in.Enabled)), done(bool(in.Enabled)))
		},
		Text: written.text,
	})
}

func (p *Plane) opSetAutoAddWriters() *op.Op {
	return p.toggle(owner, "set_auto_add_writers", "Let writers admit others by themselves, or not",
		"Anybody who knows the bootstrap key may write then. How many come in is bounded, and remove_writer keeps one out.",
		func(on bool) machine.Body { return &machine.SetAutoAddWriters{On: on} },
		func(on bool) string { return "Set auto_add_writers: " + onOff(on) })
}

func (p *Plane) opEnableTransactions() *op.Op {
	return p.toggle(owner, "enable_transactions", "Have contract transactions carried out, or not", "",
		func(on bool) machine.Body { return &machine.EnableTransactions{On: on} },
		func(on bool) string {
			if on {
				return "Changed transactions enabled true"
			}
			return "Changed transactions enabled false"
		})
}
