package validator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"intercom/core/fault"
)

// readFile reads a small file that a person named.
func readFile(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%v", err).WithHint("name a file that can be read")
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", path, limit)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "%v", err).WithHint("name another file")
	}
	return raw, nil
}

// strict reads one JSON value without unknown members.
func strict(raw []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("something follows it")
	}
	return nil
}

// WriteFile writes a file whole or not at all, with mode 0600.
func WriteFile(path string, text []byte) error {
	fresh, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err == nil {
		_, err = fresh.Write(text)
		err = errors.Join(err, fresh.Sync(), fresh.Close())
		if err == nil {
			err = os.Rename(fresh.Name(), path)
		}
		if err != nil {
			_ = os.Remove(fresh.Name())
		}
	}
	if err != nil {
		return fault.New(fault.Unavailable, "writing %s: %w", path, err).WithHint("choose a place that this user may write to")
	}
	return nil
}
